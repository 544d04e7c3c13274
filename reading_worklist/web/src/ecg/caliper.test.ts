import { describe, expect, it } from 'vitest';

import { type Caliper, gripAt, marchOut, measure, moved } from './caliper';

const PAPER = { mmPerSecond: 25, mmPerMillivolt: 10 };
const caliper: Caliper = { a: { x: 10, y: 20 }, b: { x: 35, y: 15 } };

describe('measure', () => {
  it('reads milliseconds, millivolts and the rate of one cycle from the paper', () => {
    expect(measure(caliper, PAPER)).toEqual({ milliseconds: 1000, millivolts: 0.5, perMinute: 60 });
    expect(measure(caliper, { mmPerSecond: 50, mmPerMillivolt: 20 })).toEqual({
      milliseconds: 500,
      millivolts: 0.25,
      perMinute: 120,
    });
  });

  it('does not depend on the direction in which it was drawn', () => {
    expect(measure({ a: caliper.b, b: caliper.a }, PAPER)).toEqual(measure(caliper, PAPER));
  });

  it('gives a fall a negative voltage, and no rate to what is too short for a cycle', () => {
    const fall = measure({ a: { x: 10, y: 15 }, b: { x: 12, y: 18 } }, PAPER);
    expect(fall.millivolts).toBeCloseTo(-0.3);
    expect(fall.perMinute).toBeNull();
  });
});

describe('march out', () => {
  it('repeats the interval to both sides within the page', () => {
    expect(marchOut({ a: { x: 40, y: 0 }, b: { x: 60, y: 0 } }, 0, 125)).toEqual([0, 20, 80, 100, 120]);
  });

  it('draws nothing for an interval that is a mere line', () => {
    expect(marchOut({ a: { x: 40, y: 0 }, b: { x: 40.5, y: 0 } }, 0, 250)).toEqual([]);
  });
});

describe('grip', () => {
  it.each([
    [{ x: 34.5, y: 17 }, 'b'],
    [{ x: 10.5, y: 17 }, 'a'],
    [{ x: 20, y: 17 }, 'ab'],
    [{ x: 60, y: 17 }, 'new'],
    [{ x: 20, y: 40 }, 'new'],
  ] as const)('a press at %o takes %s', (point, grip) => {
    expect(gripAt(caliper, point, 1)).toBe(grip);
  });

  it('moves an edge alone or both together', () => {
    expect(moved(caliper, 'b', { x: 5, y: 0 })).toEqual({ a: caliper.a, b: { x: 40, y: 15 } });
    expect(moved(caliper, 'ab', { x: -1, y: 2 })).toEqual({ a: { x: 9, y: 22 }, b: { x: 34, y: 17 } });
  });
});
