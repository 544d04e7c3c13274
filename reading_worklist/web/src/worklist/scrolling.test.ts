import { describe, expect, it } from 'vitest';

import { HEAD_HEIGHT, placeFor, ROW_HEIGHT, rowAtDistance, shownRows, steppedTop } from './scrolling';

const HEIGHT = 600;
const TOTAL = 100_000;

describe('the rows in the page', () => {
  it('cover what is seen wherever the list stands, and are few', () => {
    for (let top = 0; top < 5_000; top += 7) {
      const { first, last } = shownRows(steppedTop(top), HEIGHT, TOTAL);
      expect(first * ROW_HEIGHT).toBeLessThanOrEqual(top);
      expect(last * ROW_HEIGHT).toBeGreaterThanOrEqual(top + HEIGHT - HEAD_HEIGHT);
      expect(last - first).toBeLessThan(50);
    }
  });

  it('end where the list ends', () => {
    expect(shownRows(TOTAL * ROW_HEIGHT, HEIGHT, TOTAL).last).toBe(TOTAL);
    expect(shownRows(9_999, HEIGHT, 3)).toEqual({ first: 3, last: 3 });
    expect(shownRows(0, HEIGHT, 0)).toEqual({ first: 0, last: 0 });
  });
});

describe('the place for a row', () => {
  it.each([
    ['seen', 5, 0, 0],
    ['above', 5, 1_000, 5 * ROW_HEIGHT],
    ['below', 100, 0, 101 * ROW_HEIGHT + HEAD_HEIGHT - HEIGHT],
  ])('%s', (_, index, top, expected) => {
    expect(placeFor(index, top, HEIGHT)).toBe(expected);
  });

  it('is under the pointer what it says', () => {
    expect(rowAtDistance(0, 0)).toBe(0);
    expect(rowAtDistance(ROW_HEIGHT * 10 + 1, ROW_HEIGHT * 2)).toBe(12);
  });
});
