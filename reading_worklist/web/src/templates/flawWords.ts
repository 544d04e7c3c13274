import type { Problem } from '../api/problem';
import { isPlainKey } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';

/** The words for what is wrong with a template or with a value of one. */
export function useFlawWords(): (problem: Problem) => string {
  const { t } = useLanguage();
  return ({ document }) => {
    const key = `templates.flaw.${document.flaw ?? ''}`;
    const flaw = isPlainKey(key) ? t(key) : document.title;
    const field = document.field ?? '';
    return document.wanted === undefined
      ? t('templates.flawAt', { flaw, field })
      : t('templates.valueFlaw', { flaw, field, wanted: document.wanted });
  };
}
