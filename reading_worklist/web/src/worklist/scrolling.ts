/** Places in a list of rows of one height, in pixels of its scroller. All functions are pure. */

export const ROW_HEIGHT = 34;
export const HEAD_HEIGHT = 30;
/** Rows above and below those that are seen, so that none is missing while one scrolls. */
export const OVERSCAN = 8;
/** The first row that is in the page of a scroller at `top`. */
export function firstShown(top: number): number {
  return Math.max(0, Math.floor(top / ROW_HEIGHT) - OVERSCAN);
}

/** How many rows are in the page of a scroller that is `height` high: always so many, as far as the list has them. */
export function slotsFor(height: number): number {
  return Math.ceil(height / ROW_HEIGHT) + 1 + 2 * OVERSCAN;
}

/** Which rows are in the page, `last` not included. */
export function shownRows(first: number, slots: number, total: number): { first: number; last: number } {
  const begin = Math.max(0, Math.min(first, total - slots));
  return { first: begin, last: Math.min(total, begin + slots) };
}

/**
 * The rows from `first` to `last` in the order of their elements. A row keeps its element, named by its index
 * modulo `slots`, for as long as it is shown; elements stand in the order in which their rows stood when the
 * first one was `settled`, so that none moves in the page while one scrolls.
 */
export function inSlots(first: number, last: number, slots: number, settled: number): number[] {
  const rows: number[] = [];
  for (let index = first; index < last; index += 1) rows.push(index);
  const place = (index: number): number => (((index - settled) % slots) + slots) % slots;
  return rows.sort((a, b) => place(a) - place(b));
}

/** Of which chunks of `size` rows the page will need what is in them soon, both included. */
export function chunksAround(first: number, last: number, size: number): { first: number; last: number } {
  const ahead = size / 2;
  return { first: Math.max(0, Math.floor((first - ahead) / size)), last: Math.floor((last - 1 + ahead) / size) };
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
