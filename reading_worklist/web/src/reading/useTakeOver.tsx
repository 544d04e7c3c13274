import { App, Button } from 'antd';

import { asProblem } from '../api/problem';
import type { ReportText, WorkitemDetail } from '../api/types';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';
import type { DraftSaver } from './draftSaver';
import { appended } from './insertions';
import { FIELDS, isBlank, LONGEST_TEXT } from './reportFields';
import type { Fields } from './useFields';
import { fetchLastNormal } from './writing';

interface TakeOver {
  /** Puts texts into the report; asks first when something is written. False when the doctor thought better of it. */
  take: (texts: ReportText, title: string, templateId?: string) => Promise<boolean>;
  lastNormal: () => Promise<void>;
}

/** Whole texts into the report: a template's, or those of the last normal report. Each can be undone at once. */
export function useTakeOver(item: WorkitemDetail, saver: DraftSaver, fields: Fields): TakeOver {
  const { t, language } = useLanguage();
  const { message, modal } = App.useApp();

  const ask = (): Promise<'replace' | 'append' | null> =>
    new Promise((resolve) => {
      const asked = modal.confirm({
        title: t('writing.replace.title'),
        content: t('writing.replace.text'),
        onCancel: () => resolve(null),
        footer: (
          <div className="sign-buttons">
            <Button
              onClick={() => {
                asked.destroy();
                resolve(null);
              }}
            >
              {t('app.cancel')}
            </Button>
            <Button
              onClick={() => {
                asked.destroy();
                resolve('append');
              }}
            >
              {t('writing.replace.append')}
            </Button>
            <Button
              type="primary"
              autoFocus
              onClick={() => {
                asked.destroy();
                resolve('replace');
              }}
            >
              {t('writing.replace.ok')}
            </Button>
          </div>
        ),
      });
    });

  const take = async (texts: ReportText, title: string, templateId?: string): Promise<boolean> => {
    const before = saver.snapshot().text;
    const how = isBlank(before) ? 'replace' : await ask();
    if (how === null) return false;
    const after = Object.fromEntries(
      FIELDS.map((field) => {
        const joined = texts[field] === '' ? before[field] : appended(before[field], texts[field]);
        return [field, how === 'append' && joined.length <= LONGEST_TEXT ? joined : texts[field]];
      }),
    );
    saver.change({ ...after, ...(templateId === undefined ? {} : { template_id: templateId }) });
    const key = crypto.randomUUID();
    void message.success({
      key,
      duration: 8,
      content: (
        <>
          {t('writing.inserted', { title })}{' '}
          <button
            type="button"
            className="link-button"
            onClick={() => {
              saver.change(before);
              message.destroy(key);
            }}
          >
            {t('writing.undo')}
          </button>
        </>
      ),
    });
    fields.focus('findings');
    return true;
  };

  const lastNormal = async (): Promise<void> => {
    try {
      const found = await fetchLastNormal(item.id);
      const { findings, impression, advice, description, signed_at: at } = found;
      await take(
        { findings, impression, advice },
        t('writing.lastNormal.from', { description, time: formatDateTime(at) }),
      );
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status === 404) void message.info(t('writing.lastNormal.none'));
      else void message.error(wordsOf(language, problem).title);
    }
  };
  return { take, lastNormal };
}
