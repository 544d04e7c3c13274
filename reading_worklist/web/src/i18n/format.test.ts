import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  formatAge,
  formatClock,
  formatDateTime,
  formatDuration,
  formatShortTime,
  formatSize,
  formatStudyTime,
  showTimesIn,
} from './format';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

beforeEach(() => showTimesIn('Asia/Shanghai'));
afterEach(() => showTimesIn(undefined));

describe('times', () => {
  const now = Date.parse('2026-11-21T20:00:00Z');

  it('are shown in the zone of the centre, not of the browser', () => {
    expect(formatDateTime('2026-11-21T16:30:05Z')).toBe('2026-11-22 00:30');
    expect(formatClock('2026-11-21T16:30:05Z')).toBe('00:30:05');
  });

  it('are as short as the day allows', () => {
    expect(formatShortTime('2026-11-21T16:30:05Z', now)).toBe('00:30');
    expect(formatShortTime('2026-11-21T15:30:05Z', now)).toBe('11-21 23:30');
    expect(formatShortTime('2025-11-21T15:30:05Z', now)).toBe('2025-11-21');
  });

  it('of a study are its own wall clock', () => {
    expect(formatStudyTime('2026-11-22', '09:30:00', now)).toBe('09:30');
    expect(formatStudyTime('2026-11-21', '09:30:00', now)).toBe('11-21 09:30');
    expect(formatStudyTime('2026-11-22', null, now)).toBe('11-22');
    expect(formatStudyTime('2004-01-19', '09:30:00', now)).toBe('2004-01-19');
    expect(formatStudyTime(null, '09:30:00', now)).toBeNull();
  });
});

describe('durations', () => {
  it.each([
    [0, '0:00'],
    [-65 * SECOND, '1:05'],
    [9 * MINUTE + 59 * SECOND, '9:59'],
    [10 * MINUTE, '10 min'],
    [HOUR - 1, '59 min'],
    [HOUR + 5 * MINUTE, '1 h 05 min'],
    [51 * HOUR, '2 d 3 h'],
  ])('%d ms is %s', (span, words) => {
    expect(formatDuration('en', span)).toBe(words);
  });
});

describe('ages', () => {
  it.each([
    ['067Y', '67岁', '67 y'],
    ['006M', '6月', '6 mo'],
    ['003W', '3周', '3 wk'],
    ['012D', '12天', '12 d'],
    ['about 40', 'about 40', 'about 40'],
  ])('%s', (age, chinese, english) => {
    expect(formatAge('zh-CN', age)).toBe(chinese);
    expect(formatAge('en', age)).toBe(english);
  });
});

it('sizes have decimal prefixes', () => {
  expect([999, 1000, 1_500_000].map((bytes) => formatSize('en', bytes))).toEqual(['999 B', '1 kB', '1.5 MB']);
});
