import { expect, it } from 'vitest';

import { reachedStep, ROAD } from './road';

const NOTHING = {
  received_at: '2026-11-21T10:00:00Z',
  complete_at: null,
  queued_at: null,
  reading_since: null,
  signed_at: null,
  delivered_at: null,
  opened_at: null,
};

it('an exam that was just received is at the first step', () => {
  expect(ROAD[reachedStep(NOTHING)]?.[0]).toBe('received');
});

it('a report opened before its delivery was acknowledged counts as opened', () => {
  expect(ROAD[reachedStep({ ...NOTHING, signed_at: 'x', opened_at: 'y' })]?.[0]).toBe('opened');
});
