/** Places in a list of rows of one height, in pixels of its scroller. All functions are pure. */

export const ROW_HEIGHT = 34;
export const HEAD_HEIGHT = 30;
/** Rows above and below those that are seen, so that none is missing while one scrolls. */
export const OVERSCAN = 8;
/** The first row shown moves in such steps: not every pixel is a new drawing. */
const STEP = 4;

/** Where a scroller stands, so exactly as the drawing depends on it. */
export function steppedTop(top: number): number {
  const step = STEP * ROW_HEIGHT;
  return Math.floor(top / step) * step;
}

/** Which rows are in the page, `last` not included, for a scroller at `top` that is `height` high. */
export function shownRows(top: number, height: number, total: number): { first: number; last: number } {
  const seen = Math.floor(Math.max(0, top) / ROW_HEIGHT);
  const first = Math.max(0, Math.floor((seen - OVERSCAN) / STEP) * STEP);
  const count = Math.ceil(height / ROW_HEIGHT) + 2 * OVERSCAN + STEP;
  return { first: Math.min(first, total), last: Math.min(total, first + count) };
}

/** Where a scroller must stand so that a row is wholly seen below the head; where it stands if it is. */
export function placeFor(index: number, top: number, height: number): number {
  const rowTop = index * ROW_HEIGHT;
  if (rowTop < top) return rowTop;
  const bottom = rowTop + ROW_HEIGHT + HEAD_HEIGHT;
  return bottom > top + height ? bottom - height : top;
}

/** The row at a distance below the head. */
export function rowAtDistance(top: number, belowHead: number): number {
  return Math.floor((top + Math.max(0, belowHead)) / ROW_HEIGHT);
}
