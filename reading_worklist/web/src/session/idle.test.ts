import { describe, expect, it } from 'vitest';

import { idleStep, warningSeconds } from './idle';

describe('a session that nobody uses', () => {
  it.each([
    [3600, true, 'rest'],
    [3239, true, 'prolong'],
    [3239, false, 'rest'],
    [121, false, 'rest'],
    [120, false, 'warn'],
    [120, true, 'warn'],
    [1, false, 'warn'],
    [0, true, 'over'],
    [-5, false, 'over'],
  ] as const)('with %i s left, somebody there: %s', (left, present, step) => {
    expect(idleStep(left, 3600, present)).toBe(step);
  });

  it('is warned of two minutes before its end, a short one a quarter', () => {
    expect([warningSeconds(3600), warningSeconds(60)]).toEqual([120, 15]);
  });
});
