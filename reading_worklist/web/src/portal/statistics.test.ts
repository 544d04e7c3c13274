import { expect, it } from 'vitest';

import { MONTH, monthOf, shareOf, spanOf } from './statistics';

it('what there is nothing of is a dash, not a zero', () => {
  expect(shareOf({ numerator: 0, denominator: 0, value: null })).toBe('–');
  expect(shareOf({ numerator: 0, denominator: 4, value: 0 })).toBe('0.0%');
  expect(spanOf('en', null)).toBe('–');
  expect(spanOf('en', 0)).toBe('0:00');
});

it('a month is written as the field of the browser writes it', () => {
  expect(monthOf(new Date(2026, 0, 31).getTime())).toBe('2026-01');
  expect(MONTH.test('2026-13')).toBe(false);
});
