import { expect, test } from 'vitest';

import { showTimesIn } from '../../i18n/format';
import { clockOf, momentOf, ticksOf } from './moment';

const STARTED = '2026-11-20T08:30:00+08:00';
const DAY = 86_400;
showTimesIn('Asia/Shanghai');

test('a moment is told by the clock of the record, else since its start', () => {
  expect(clockOf(0, STARTED)).toBe('08:30:00');
  expect(clockOf(16 * 3600, STARTED)).toBe('00:30:00');
  expect(clockOf(3725.9, null)).toBe('01:02:05');
});

test('a written time is the first of its kind in the record', () => {
  expect(momentOf('08:30', STARTED, DAY)).toBe(0);
  expect(momentOf('22:54:05', STARTED, DAY)).toBe(14 * 3600 + 24 * 60 + 5);
  expect(momentOf('0000', STARTED, DAY)).toBe(15.5 * 3600);
  expect(momentOf('8：29', STARTED, DAY)).toBe(DAY - 60);
  expect(momentOf('01:02:05', null, DAY)).toBe(3725);
});

test('what is no time of the record is none', () => {
  expect(momentOf('', STARTED, DAY)).toBeNull();
  expect(momentOf('24:00', STARTED, DAY)).toBeNull();
  expect(momentOf('08:61', STARTED, DAY)).toBeNull();
  expect(momentOf('08:29', STARTED, 3600)).toBeNull();
  expect(momentOf('noon', STARTED, DAY)).toBeNull();
});

test('the axis has full hours and not too many of them', () => {
  const ticks = ticksOf(STARTED, DAY);
  expect(ticks[0]).toEqual({ seconds: 5400, label: '10:00' });
  expect(ticks.length).toBeLessThanOrEqual(13);
  expect(ticksOf(null, 600)[1]).toEqual({ seconds: 60, label: '00:01' });
});
