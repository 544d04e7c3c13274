/** So old may what the board shows be: three times it was not brought anew. */
const OLDEST = 45_000;

/** Whether what hangs on the wall is not to be trusted any more: a stale board must never look alive. */
export function isStale(state: { lost: boolean; failed: boolean; updatedAt: number }, now: number): boolean {
  return state.lost || state.failed || now - state.updatedAt > OLDEST;
}
