import { expect, it } from 'vitest';

import { isStale } from './fresh';

const NOW = 1_000_000;

it.each([
  ['just brought', { lost: false, failed: false, updatedAt: NOW - 1_000 }, false],
  ['brought in time', { lost: false, failed: false, updatedAt: NOW - 44_000 }, false],
  ['not brought for long', { lost: false, failed: false, updatedAt: NOW - 46_000 }, true],
  ['the connection is lost', { lost: true, failed: false, updatedAt: NOW }, true],
  ['the last question failed', { lost: false, failed: true, updatedAt: NOW }, true],
])('%s', (_, state, stale) => {
  expect(isStale(state, NOW)).toBe(stale);
});
