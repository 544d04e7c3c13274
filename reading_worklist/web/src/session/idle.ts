const LONGEST_WARNING = 120;
/** Of the idle time, how much may pass before a page where somebody works says so. */
const UNTOLD_SHARE = 0.1;

/** What a page does about its session: nothing, prolong it, warn of its end, or ask whether it is over. */
export type IdleStep = 'rest' | 'prolong' | 'warn' | 'over';

/** How long before its end a session's person is warned: two minutes, of a short one a quarter. */
export function warningSeconds(idleSeconds: number): number {
  return Math.min(LONGEST_WARNING, Math.floor(idleSeconds / 4));
}

/** Decides by the seconds that are left, the idle time as set, and whether somebody touched the page just now. */
export function idleStep(secondsLeft: number, idleSeconds: number, present: boolean): IdleStep {
  if (secondsLeft <= 0) return 'over';
  // Once warned, a touch of the mouse is no answer: the question is.
  if (secondsLeft <= warningSeconds(idleSeconds)) return 'warn';
  return present && secondsLeft < idleSeconds * (1 - UNTOLD_SHARE) ? 'prolong' : 'rest';
}
