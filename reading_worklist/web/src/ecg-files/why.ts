import { isPlainKey, type Language, textOf } from '../i18n/catalogue';
import type { EcgFile } from './queries';

/** Why a file could not be read, in the page's language; the server's own words for a kind that is new. */
export function whyOf(language: Language, problem: NonNullable<EcgFile['problem']>): string {
  const key = `ecgFiles.why.${problem.code}`;
  return isPlainKey(key) ? textOf(language, key) : `${problem.what}. ${problem.remedy}`.trim();
}
