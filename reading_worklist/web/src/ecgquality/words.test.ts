import { describe, expect, it } from 'vitest';

import type { EcgFinding } from '../api/types';
import { adviceOf, amountOf } from './words';

const mains: EcgFinding = {
  code: 'mains_noise',
  severity: 'REPEAT',
  leads: ['V3'],
  value: 124.26,
  threshold: 100,
  unit: 'uV',
  source: '',
};

describe('words of ECG quality', () => {
  it('says how much against which limit', () => {
    expect(amountOf('en', mains)).toBe('124.3 µV (limit 100 µV)');
  });

  it('says no amount where it is yes or no', () => {
    expect(amountOf('zh-CN', { ...mains, code: 'arm_reversal', value: null, threshold: null, unit: '1' })).toBe('');
  });

  it('sends to the patient first when no lead has a signal', () => {
    expect(adviceOf('en', 'no_signal')).toContain('patient first');
    expect(adviceOf('en', 'too_long')).toBeNull();
  });
});
