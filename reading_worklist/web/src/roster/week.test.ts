import { expect, it } from 'vitest';

import { gapsOf, instantOf, localOf, mondayOf, weekOf } from './week';

const ZONE = 'Asia/Shanghai';

it('knows the week of a day', () => {
  expect(mondayOf('2026-11-22')).toBe('2026-11-16');
  expect(mondayOf('2026-11-16')).toBe('2026-11-16');
  expect(weekOf('2026-12-28').at(-1)).toBe('2027-01-03');
});

it('goes from local times to moments and back, over a change of clocks too', () => {
  expect(instantOf('2026-11-22', '08:00', ZONE)).toBe('2026-11-22T00:00:00.000Z');
  expect(localOf('2026-11-21T16:30:00Z', ZONE)).toEqual({ day: '2026-11-22', time: '00:30' });
  for (const time of ['00:30', '04:00', '23:59']) {
    expect(localOf(instantOf('2026-03-29', time, 'Europe/Berlin'), 'Europe/Berlin')).toEqual({
      day: '2026-03-29',
      time,
    });
  }
});

it('finds when nobody is on duty, at the ends of the day and between', () => {
  const duty = (from: string, to: string) => ({
    starts_at: instantOf('2026-11-22', from, ZONE),
    ends_at: instantOf(to === '08:00+' ? '2026-11-23' : '2026-11-22', to.slice(0, 5), ZONE),
  });
  expect(gapsOf('2026-11-22', [], ZONE)).toEqual([{ from: '00:00', to: '24:00' }]);
  expect(gapsOf('2026-11-22', [duty('08:00', '17:30'), duty('12:00', '14:00')], ZONE)).toEqual([
    { from: '00:00', to: '08:00' },
    { from: '17:30', to: '24:00' },
  ]);
  expect(gapsOf('2026-11-23', [duty('22:00', '08:00+')], ZONE)).toEqual([{ from: '08:00', to: '24:00' }]);
});
