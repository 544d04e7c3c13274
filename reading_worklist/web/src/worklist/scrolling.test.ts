import { describe, expect, it } from 'vitest';

import {
  chunksAround,
  firstShown,
  HEAD_HEIGHT,
  inSlots,
  placeFor,
  ROW_HEIGHT,
  rowAtDistance,
  shownRows,
  slotsFor,
} from './scrolling';

const HEIGHT = 600;
const TOTAL = 100_000;
const SLOTS = slotsFor(HEIGHT);

describe('the rows in the page', () => {
  it('cover what is seen wherever the list stands, and are few', () => {
    for (let top = 0; top < 5_000; top += 7) {
      const { first, last } = shownRows(firstShown(top), SLOTS, TOTAL);
      expect(first * ROW_HEIGHT).toBeLessThanOrEqual(top);
      expect(last * ROW_HEIGHT).toBeGreaterThanOrEqual(top + HEIGHT - HEAD_HEIGHT);
      expect(last - first).toBeLessThan(50);
    }
  });

  it('end where the list ends', () => {
    expect(shownRows(TOTAL, SLOTS, TOTAL)).toEqual({ first: TOTAL - SLOTS, last: TOTAL });
    expect(shownRows(9_999, SLOTS, 3)).toEqual({ first: 0, last: 3 });
    expect(shownRows(0, SLOTS, 0)).toEqual({ first: 0, last: 0 });
  });

  it('keep their elements, which move in the page only when the list stands still', () => {
    expect(inSlots(0, 5, 5, 0)).toEqual([0, 1, 2, 3, 4]);
    expect(inSlots(2, 7, 5, 0)).toEqual([5, 6, 2, 3, 4]);
    expect(inSlots(2, 7, 5, 2)).toEqual([2, 3, 4, 5, 6]);
    for (let first = 0; first < 40; first += 1) {
      const slots = inSlots(first, first + 5, 5, 3).map((index) => index % 5);
      expect(slots).toEqual([3, 4, 0, 1, 2]);
    }
  });

  it('are asked for before one comes to them', () => {
    expect(chunksAround(0, 30, 100)).toEqual({ first: 0, last: 0 });
    expect(chunksAround(40, 70, 100)).toEqual({ first: 0, last: 1 });
    expect(chunksAround(155, 185, 100)).toEqual({ first: 1, last: 2 });
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
