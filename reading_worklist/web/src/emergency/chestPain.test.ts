import { expect, test } from 'vitest';

import { spanOfMonth } from './chestPain';

test('a month runs from its first moment to that of the next', () => {
  const { since, until } = spanOfMonth('2026-12');
  expect(new Date(since)).toEqual(new Date(2026, 11, 1));
  expect(new Date(until)).toEqual(new Date(2027, 0, 1));
});
