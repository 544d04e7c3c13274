import { expect, it } from 'vitest';

import { dueLevel } from './due';

const QUEUED = '2026-11-21T10:00:00Z';
const DUE = '2026-11-21T10:30:00Z';

it.each([
  ['2026-11-21T10:00:00Z', 'calm'],
  ['2026-11-21T10:19:59Z', 'calm'],
  ['2026-11-21T10:20:00Z', 'soon'],
  ['2026-11-21T10:29:59Z', 'soon'],
  ['2026-11-21T10:30:00Z', 'overdue'],
  ['2026-11-22T10:30:00Z', 'overdue'],
])('at %s it is %s', (now, level) => {
  expect(dueLevel(QUEUED, DUE, Date.parse(now))).toBe(level);
});
