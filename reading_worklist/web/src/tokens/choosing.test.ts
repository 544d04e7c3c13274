import { expect, it } from 'vitest';

import { chosen, isFingerprint } from './choosing';
import type { Token } from './queries';

const token = (name: string, changes: Partial<Token> = {}): Token => ({
  id: name,
  site_code: 'EAST',
  site_name: '东河镇卫生院',
  site_name_en: 'Donghe',
  device: null,
  name,
  scope: 'fhir',
  proof: 'bearer',
  certificate_sha256: null,
  state: 'taken',
  concerns: [],
  made_at: '2026-11-22T00:00:00Z',
  made_by: null,
  last_used_at: null,
  expires_at: null,
  revoked_at: null,
  revoked_reason: '',
  replaces: null,
  ...changes,
});

it('shows what is taken, what needs a look, or everything', () => {
  const all = [token('a'), token('b', { state: 'revoked' }), token('c', { state: 'replaced', concerns: ['expiring'] })];
  expect(chosen(all, '', 'now').map((one) => one.name)).toEqual(['a', 'c']);
  expect(chosen(all, '', 'care').map((one) => one.name)).toEqual(['c']);
  expect(chosen(all, '', 'all')).toHaveLength(3);
});

it('finds by the words of site, device and name', () => {
  const all = [token('HIS'), token('ECG', { device: 'EAST_ECG' })];
  expect(chosen(all, '东河 his', 'all').map((one) => one.name)).toEqual(['HIS']);
  expect(chosen(all, 'east_ecg', 'all').map((one) => one.name)).toEqual(['ECG']);
  expect(chosen(all, 'west', 'all')).toEqual([]);
});

it('knows a fingerprint with and without colons', () => {
  expect(isFingerprint('AB:'.repeat(31) + 'ab')).toBe(true);
  expect(isFingerprint('ab'.repeat(32))).toBe(true);
  expect(isFingerprint('ab'.repeat(31))).toBe(false);
});
