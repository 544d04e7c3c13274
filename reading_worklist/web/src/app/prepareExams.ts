import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';

import { useLanguage } from '../i18n/language';
import { prepareExam } from '../reading/opening';

/** So long somebody points at an exam, or has it chosen, before it is fetched: who only passes by costs nothing. */
const DWELL = 120;
const LINK = 'a[href^="/exams/"]';
const CHOSEN = `tr[aria-selected="true"] ${LINK}`;
const ADDRESS = /^\/exams\/([0-9a-f-]{36})$/;

/**
 * Fetches an exam, its ECG drawn, and the page it is read on while somebody is about to open it from whatever list:
 * points at its row, has it chosen with the keys, or presses the button down. Nothing says of it that it was opened.
 */
export function usePrepareExams(): void {
  const client = useQueryClient();
  const { language } = useLanguage();
  useEffect(() => {
    let timer: number | undefined;
    let meant: string | undefined;
    const prepare = (): void => {
      window.clearTimeout(timer);
      if (meant === undefined) return;
      // Opening the exam says what is wrong; whoever only passed by has nothing to be told.
      import('../reading/ReadingPage').catch(() => undefined);
      prepareExam(client, meant, language);
    };
    const mean = (link: Element | null | undefined): void => {
      const exam = ADDRESS.exec(link?.getAttribute('href') ?? '')?.[1];
      if (exam === meant) return;
      meant = exam;
      window.clearTimeout(timer);
      if (exam !== undefined) timer = window.setTimeout(prepare, DWELL);
    };
    const onPoint = ({ target }: Event): void => {
      if (target instanceof Element) mean(target.closest(LINK) ?? target.closest('tr')?.querySelector(LINK));
    };
    const onPress = (event: Event): void => {
      onPoint(event);
      prepare();
    };
    const onKey = (): void => mean(document.querySelector(CHOSEN));
    document.addEventListener('pointerover', onPoint, { passive: true });
    document.addEventListener('pointerdown', onPress, { passive: true });
    document.addEventListener('keyup', onKey, { passive: true });
    return () => {
      window.clearTimeout(timer);
      document.removeEventListener('pointerover', onPoint);
      document.removeEventListener('pointerdown', onPress);
      document.removeEventListener('keyup', onKey);
    };
  }, [client, language]);
}
