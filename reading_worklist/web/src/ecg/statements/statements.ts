import { useQuery } from '@tanstack/react-query';

import { answer, api } from '../../api/client';
import type { Codes, EcgStatement } from '../../api/types';
import type { Language } from '../../i18n/catalogue';

export type EcgClass = NonNullable<Codes['ecg_class']>;

/** From nothing wrong to wrong. */
const CLASSES: readonly EcgClass[] = ['normal', 'borderline', 'suspicious', 'abnormal'];
const NUMBERED = /^\s*(?:[(（]?\d{1,2}[)）]|\d{1,2}(?:、|．|\.(?!\d)))?\s*/;

/** The statements that an ECG's report may be composed of; only an ECG's page asks for them. */
export function useStatements(wanted: boolean) {
  return useQuery({
    queryKey: ['ecg-statements'],
    queryFn: () => answer(api.GET('/api/ecg-statements')).then(({ statements }) => statements),
    staleTime: 3_600_000,
    enabled: wanted,
  });
}

export function textOfStatement(statement: EcgStatement, language: Language): string {
  return language === 'en' ? statement.en : statement.zh;
}

/** The language of a text: Chinese as soon as it has a Chinese character, nothing when it has no letter at all. */
export function languageOf(text: string): Language | null {
  if (/\p{Script=Han}/u.test(text)) return 'zh-CN';
  return /[a-z]/i.test(text) ? 'en' : null;
}

/**
 * Those that what was typed may mean, best first: the short key, then the beginning of Hanzi, pinyin, initials or an
 * English word, then Hanzi or English in the middle. Nothing typed shows all in the order of the library.
 */
export function matching(statements: readonly EcgStatement[], typed: string): EcgStatement[] {
  const wanted = plain(typed);
  if (wanted === '') return [...statements];
  const ranked = statements
    .map((statement, order) => ({ statement, order, rank: rankOf(statement, wanted) }))
    .filter(({ rank }) => rank < NO_MATCH);
  return ranked.sort((a, b) => a.rank - b.rank || a.order - b.order).map(({ statement }) => statement);
}

const NO_MATCH = 9;

function rankOf(statement: EcgStatement, wanted: string): number {
  const zh = plain(statement.zh);
  const en = plain(statement.en);
  const syllables = statement.pinyin.split(' ');
  const initials = syllables.map((each) => each[0] ?? '').join('');
  if (statement.key === wanted) return 0;
  if (zh === wanted || en === wanted) return 1;
  if (statement.key.startsWith(wanted)) return 2;
  if (zh.startsWith(wanted)) return 3;
  if (initials.startsWith(wanted)) return 4;
  if (syllables.join('').startsWith(wanted)) return 5;
  if (
    statement.en
      .toLowerCase()
      .split(/\W+/)
      .some((word) => word.startsWith(wanted)) ||
    en.startsWith(wanted)
  )
    return 6;
  if (zh.includes(wanted) || en.includes(wanted)) return 7;
  const spoken = syllables.some((_, at) => syllables.slice(at).join('').startsWith(wanted));
  return wanted.length > 1 && (spoken || initials.includes(wanted)) ? 8 : NO_MATCH;
}

/** The statements that stand in a text word for word, in either language; the server reads a text alike. */
export function saidIn(statements: readonly EcgStatement[], text: string): EcgStatement[] {
  const known = new Map(
    statements.flatMap((each) => [[plain(each.zh), each] as const, [plain(each.en), each] as const]),
  );
  return text
    .split(/[\n;；。]/)
    .map((segment) => known.get(plain(segment.replace(NUMBERED, '').replace(/[\s.,，、]+$/, ''))))
    .filter((each) => each !== undefined);
}

/** The class farthest from normal that any of the statements implies. */
export function impliedClass(said: readonly EcgStatement[]): EcgClass | null {
  return CLASSES.findLast((each) => said.some(({ ecg_class }) => ecg_class === each)) ?? null;
}

/** Whether a class is nearer to normal than another. */
export function isMilder(one: EcgClass, other: EcgClass): boolean {
  return CLASSES.indexOf(one) < CLASSES.indexOf(other);
}

function plain(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, '');
}
