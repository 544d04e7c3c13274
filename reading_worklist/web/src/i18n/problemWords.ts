import type { Problem } from '../api/problem';
import { isPlainKey, type Language, textOf } from './catalogue';

export interface ProblemWords {
  title: string;
  remedy: string | null;
  expected: string | null;
  found: string | null;
}

/**
 * The words for a problem: ours where the catalogue knows its code, else the server's. Chinese takes the catalogue
 * for all parts; English prefers the server's own words, which may name the particular case.
 */
export function wordsOf(language: Language, problem: Problem): ProblemWords {
  const { document } = problem;
  const titleKey = `problem.${problem.code}`;
  const remedyKey = `${titleKey}.remedy`;
  const ownTitle = isPlainKey(titleKey) ? textOf(language, titleKey) : null;
  const ownRemedy = isPlainKey(remedyKey) ? textOf(language, remedyKey) : null;
  const preferServer = language === 'en' && problem.status > 0 && document.remedy !== undefined;
  return {
    title: preferServer ? document.title : (ownTitle ?? document.title),
    remedy: preferServer ? document.remedy ?? null : (ownRemedy ?? document.remedy ?? null),
    expected: document.expected ?? null,
    found: document.found ?? null,
  };
}
