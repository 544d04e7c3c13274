import { expect, test } from 'vitest';

import { envelopeLimit, envelopePath, linePath, rateSpan } from './curve';

test('the rate axis holds every rate in whole tens', () => {
  expect(rateSpan([null, 60, 70])).toEqual([40, 120]);
  expect(rateSpan([33, 187])).toEqual([30, 190]);
});

test('a rate that is not known leaves a gap', () => {
  expect(linePath([60, 80, null, 100], 50, 100)).toBe('M0 0.8000H1L1 0.4000H2M3 0.0000H4');
});

test('an artefact does not flatten the rest, and is cut at the edge', () => {
  const high = [...Array.from({ length: 99 }, () => 1000), 30_000];
  const low = high.map(() => -500);
  const limit = envelopeLimit(low, high);
  expect(limit).toBe(1200);
  expect(envelopePath([-500, null], [30_000, null], limit)).toBe('M0.5 0.0000V0.7083');
});
