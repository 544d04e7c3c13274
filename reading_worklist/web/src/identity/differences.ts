import type { Difference } from '../api/types';
import { formatDateTime } from '../i18n/format';
import { isPlainKey, type Language, textOf } from '../i18n/catalogue';

/** A difference in words: `name differs`. */
export function differenceWords(language: Language, { attribute, finding }: Difference): string {
  return textOf(language, `identity.finding.${finding}`, {
    what: textOf(language, `identity.attribute.${attribute}`),
  });
}

/** A value of the comparison as people read it; codes of sex become words. */
export function valueWords(language: Language, attribute: string, value: string | null): string {
  if (value === null || value === '') return textOf(language, 'app.none');
  if (attribute === 'time') return formatDateTime(value);
  const key = `sex.${value}`;
  return attribute === 'sex' && isPlainKey(key) ? textOf(language, key) : value;
}
