import { describe, expect, it } from 'vitest';

import { heightAt, leadAt, type LeadOnPage, type Points, readAt, snapped } from './leadsOnPage';

const NONE = Number.NaN;
const points = (x: number[], y: number[]): Points => ({ x: Float64Array.from(x), y: Float64Array.from(y) });

function lead(name: string, zero: number, drawn: Points, left = 10, right = 260): LeadOnPage {
  return {
    name,
    left,
    right,
    top: zero - 9,
    bottom: zero + 9,
    zero,
    originX: left,
    originSeconds: 2,
    points: () => drawn,
  };
}

/** A peak of 10 mm at 50 mm, flat on both sides, and a gap from 80 to 90 mm. */
const PEAK = points([10, 48, 50, 52, 80, 80, 90, 200], [30, 30, 20, 30, 30, NONE, 30, 30]);

describe('height', () => {
  it('is read between the drawn points', () => {
    expect(heightAt(PEAK, 49)).toBe(25);
    expect(heightAt(PEAK, 50)).toBe(20);
    expect(heightAt(PEAK, 20)).toBe(30);
  });

  it('is nothing in a gap and beside the trace', () => {
    expect(heightAt(PEAK, 85)).toBeNull();
    expect(heightAt(PEAK, 5)).toBeNull();
    expect(heightAt(PEAK, 201)).toBeNull();
  });
});

describe('the lead meant', () => {
  const first = lead('II', 30, PEAK, 10, 100);
  const beside = lead('V1', 30, PEAK, 100, 260);
  const below = lead('III', 65, PEAK, 10, 100);

  it('is the nearest of those that stand there', () => {
    expect(leadAt([first, beside, below], { x: 60, y: 40 })?.name).toBe('II');
    expect(leadAt([first, beside, below], { x: 60, y: 55 })?.name).toBe('III');
    expect(leadAt([first, beside, below], { x: 160, y: 90 })?.name).toBe('V1');
    expect(leadAt([first, beside, below], { x: 5, y: 30 })).toBeNull();
  });
});

describe('snapping', () => {
  it('takes the peak within reach, else the trace at that time', () => {
    const leads = [lead('II', 30, PEAK)];
    expect(snapped(leads, { x: 51, y: 12 }, 1.5)).toEqual({ x: 50, y: 20 });
    expect(snapped(leads, { x: 40, y: 12 }, 1.5)).toEqual({ x: 40, y: 30 });
  });

  it('leaves a place without a trace as it is', () => {
    const place = { x: 85, y: 12 };
    expect(snapped([lead('II', 30, PEAK)], place, 1.5)).toEqual(place);
    expect(snapped([], place, 1.5)).toEqual(place);
  });
});

it('reads lead, time and voltage at a place', () => {
  const scale = { mmPerSecond: 25, mmPerMillivolt: 10 };
  expect(readAt([lead('II', 30, PEAK)], { x: 50, y: 44 }, scale)).toEqual({ lead: 'II', seconds: 3.6, millivolts: 1 });
  expect(readAt([lead('II', 30, PEAK)], { x: 85, y: 44 }, scale)).toEqual({
    lead: 'II',
    seconds: 5,
    millivolts: null,
  });
  expect(readAt([], { x: 50, y: 44 }, scale)).toBeNull();
});
