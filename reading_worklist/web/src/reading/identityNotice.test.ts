import { describe, expect, it } from 'vitest';

import type { IdentityNotice } from '../api/types';
import { noticeOf } from './identityNotice';

const none: IdentityNotice = {
  case_id: null,
  case_state: null,
  opened_because: null,
  differences: [],
  decision: null,
  corrected: [],
  can_open: true,
};
const decision = {
  kind: 'correct' as const,
  reason: 'x',
  person: { id: 'p', display_name: 'P' },
  at: '2026-11-22T00:00:00Z',
  undone: false,
};

describe('what the reading page says of whose images these are', () => {
  it('is nothing when nobody doubted it', () => {
    expect(noticeOf(none)).toBeNull();
  });

  it('is the doubt while the case is open, whatever was decided before', () => {
    expect(noticeOf({ ...none, case_id: 'c', case_state: 'OPEN' })).toBe('doubted');
    expect(noticeOf({ ...none, case_id: 'c', case_state: 'OPEN', decision })).toBe('doubted');
  });

  it('is what was decided', () => {
    const decided: IdentityNotice = { ...none, case_id: 'c', case_state: 'DECIDED', decision };
    expect(noticeOf(decided)).toBe('settled');
    const corrected = [{ attribute: 'name' as const, header: 'A', now: 'B' }];
    expect(noticeOf({ ...decided, corrected })).toBe('corrected');
    expect(noticeOf({ ...decided, decision: null })).toBeNull();
  });
});
