import { expect, it } from 'vitest';

import { daysLater, weekdayOf, yearOf } from './days';

it('lays a year out with what the server names, weekdays elsewhere', () => {
  const year = yearOf(2026, [
    { day: '2026-10-01', working: false, basis: 'statutory', reason: null },
    { day: '2026-10-03', working: false, basis: 'statutory', reason: null },
    { day: '2026-10-10', working: true, basis: 'statutory', reason: null },
    { day: '2026-11-23', working: false, basis: 'entry', reason: '停电' },
  ]);
  expect(year.map((month) => month.length).reduce((one, other) => one + other)).toBe(365);
  const kind = (date: string) => year.flat().find((day) => day.date === date);
  expect(kind('2026-10-01')?.kind).toBe('holiday');
  expect(kind('2026-10-03')?.kind).toBe('holiday');
  expect(kind('2026-10-10')?.kind).toBe('worked');
  expect(kind('2026-11-22')?.kind).toBe('weekend');
  expect(kind('2026-11-23')).toEqual({ date: '2026-11-23', kind: 'holiday', entered: true, reason: '停电' });
  expect(kind('2026-11-24')?.kind).toBe('work');
});

it('counts days over the ends of months and years', () => {
  expect(daysLater('2026-12-31', 1)).toBe('2027-01-01');
  expect(daysLater('2028-03-01', -1)).toBe('2028-02-29');
  expect([weekdayOf('2026-11-22'), weekdayOf('2026-11-23')]).toEqual([7, 1]);
});
