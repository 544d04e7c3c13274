import type { Problem } from '../api/problem';
import { isPlainKey, type Language, textOf } from './catalogue';
import { formatClock } from './format';

export interface ProblemWords {
  title: string;
  remedy: string | null;
  expected: string | null;
  found: string | null;
}

/**
 * The words for a problem: ours where the catalogue knows its code, else the server's. Chinese takes the catalogue
 * for all parts; English prefers the server's own words, which may name the particular case. Of what is not found the
 * server names the table, which helps nobody.
 */
export function wordsOf(language: Language, problem: Problem): ProblemWords {
  const { document } = problem;
  const titleKey = `problem.${problem.code}`;
  const remedyKey = `${titleKey}.remedy`;
  const ownTitle = isPlainKey(titleKey) ? textOf(language, titleKey) : null;
  const ownRemedy = isPlainKey(remedyKey) ? textOf(language, remedyKey) : null;
  const facts = factsOf(language, problem);
  const preferServer =
    language === 'en' && problem.status > 0 && document.remedy !== undefined && problem.code !== 'not-found';
  return {
    title: preferServer ? document.title : (ownTitle ?? document.title),
    remedy: facts ?? (preferServer ? (document.remedy ?? null) : (ownRemedy ?? document.remedy ?? null)),
    expected: document.expected ?? null,
    found: document.found ?? null,
  };
}

/** The remedy of a problem that carries numbers of its own. */
function factsOf(language: Language, { document }: Problem): string | null {
  const { attempts_left: left, locked_until: until } = document;
  if (left === 0) return textOf(language, 'problem.nowLocked');
  if (left !== undefined) return textOf(language, 'problem.attemptsLeft', { n: left });
  return until === undefined ? null : textOf(language, 'problem.lockedUntil', { time: formatClock(until) });
}
