/**
 * Whether somebody is at the page. What a page asks by itself, such as a list that a change renews, must not keep a
 * session open that nobody is using, so that it says in a header that nobody is there.
 */
export const IDLE_HEADER = 'X-RDC-Idle';
const PRESENT_MILLISECONDS = 60_000;
const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const;

let lastSign = Date.now();

/** Watch for signs of somebody, once in the life of a page. */
export function watchForSigns(): void {
  for (const sign of SIGNS) {
    addEventListener(sign, () => (lastSign = Date.now()), { capture: true, passive: true });
  }
}

/** Whether the page was touched in the last minute. */
export function someoneIsHere(): boolean {
  return Date.now() - lastSign < PRESENT_MILLISECONDS;
}
