import { describe, expect, it } from 'vitest';

import { type Caliper, gripAt, keyStep, marchOut, measure, moved, placed, turned } from './caliper';

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

describe('keyboard', () => {
  it('moves by 4 ms and 0.01 mV whatever the paper, ten times that with Shift', () => {
    for (const paper of [PAPER, { mmPerSecond: 50, mmPerMillivolt: 20 }]) {
      const right = keyStep('ArrowRight', false, paper);
      const up = keyStep('ArrowUp', true, paper);
      expect((right?.x ?? 0) / paper.mmPerSecond).toBeCloseTo(0.004);
      expect((up?.y ?? 0) / paper.mmPerMillivolt).toBeCloseTo(-0.1);
    }
    expect(keyStep('Enter', false, PAPER)).toBeNull();
  });

  it('places a caliper of one cycle, and turns it to move the other edge', () => {
    const made = placed(10, 260, 40, PAPER);
    expect(measure(made, PAPER)).toEqual({ milliseconds: 800, millivolts: 0, perMinute: 75 });
    expect(turned(made)).toEqual({ a: made.b, b: made.a });
  });

  it('marches out from a caliper that was moved', () => {
    const shifted = moved(placed(10, 260, 40, PAPER), 'b', { x: 5, y: 0 });
    const marks = marchOut(shifted, 10, 260);
    expect(marks.every((mark) => mark >= 10 && mark <= 260)).toBe(true);
    const all = [...marks, shifted.a.x, shifted.b.x].toSorted((one, other) => one - other);
    for (let at = 1; at < all.length; at += 1) expect((all[at] ?? 0) - (all[at - 1] ?? 0)).toBeCloseTo(25);
  });
});
