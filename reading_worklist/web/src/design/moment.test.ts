import { afterEach, expect, it } from 'vitest';

import { showTimesIn } from '../i18n/format';
import { isoMoment, localMoment } from './moment';

afterEach(() => showTimesIn(undefined));

it('a typed moment is in the zone in which times are shown', () => {
  showTimesIn('Asia/Shanghai');
  expect(isoMoment('2026-11-23T09:00')).toBe('2026-11-23T01:00:00.000Z');
  expect(localMoment('2026-11-23T01:00:00Z')).toBe('2026-11-23T09:00');
  showTimesIn('Europe/Berlin');
  expect(isoMoment('2026-03-29T03:30')).toBe('2026-03-29T01:30:00.000Z');
  expect(isoMoment('')).toBeNull();
  expect(localMoment(null)).toBe('');
});
