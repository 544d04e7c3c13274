import { expect, it } from 'vitest';

import type { CriticalValue } from '../api/types';
import { callOf, ringKey } from './words';

const value = (change: Partial<CriticalValue>): CriticalValue =>
  ({ id: 'v', state: 'NOTIFYING', level: 0, action_overdue: false, ...change }) as CriticalValue;

it('each side is called to what it has to do', () => {
  expect(callOf(value({ state: 'SUSPECTED' }), false)).toBe('confirm');
  expect(callOf(value({ state: 'SUSPECTED' }), true)).toBeNull();
  expect(callOf(value({}), true)).toBe('unheard');
  expect(callOf(value({}), false)).toBeNull();
  expect(callOf(value({ state: 'ESCALATED', level: 2 }), false)).toBe('escalated');
  expect(callOf(value({ state: 'ACKED' }), true)).toBeNull();
  expect(callOf(value({ state: 'ACKED', action_overdue: true }), true)).toBe('overdue');
  expect(callOf(value({ state: 'CLOSED' }), false)).toBeNull();
});

it('every further step rings anew, the same one does not', () => {
  expect(ringKey(value({ level: 1 }), 'escalated')).toBe(ringKey(value({ level: 1 }), 'escalated'));
  expect(ringKey(value({ level: 2 }), 'escalated')).not.toBe(ringKey(value({ level: 1 }), 'escalated'));
});
