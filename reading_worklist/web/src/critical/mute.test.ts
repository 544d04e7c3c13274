import { beforeEach, expect, it, vi } from 'vitest';

import { mute, mutedUntil, SHIFT_MS } from './mute';

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
});

it('a mute is for one shift of one person', () => {
  expect(mutedUntil('li')).toBe(0);
  mute('li', 1000);
  expect(mutedUntil('li')).toBe(1000 + SHIFT_MS);
  expect(mutedUntil('wang')).toBe(0);
  mute('li', null);
  expect(mutedUntil('li')).toBe(0);
});
