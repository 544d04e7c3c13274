import { describe, expect, it } from 'vitest';

import type { Exam } from '../api/types';
import { EXAM_STEPS, FIRST_CONTACT_TO_ECG, reachedStop, ROAD, sinceFirstContact, stepSince } from './road';

const NOTHING: Exam['steps'] = {
  ordered_at: '2026-11-21T10:00:00Z',
  checked_in_at: null,
  acquired_at: null,
  received_at: null,
  complete_at: null,
  queued_at: null,
  reading_since: null,
  signed_at: null,
  delivered_at: null,
  opened_at: null,
};

describe('the road of an exam', () => {
  it('never goes back from step to step', () => {
    const stops = EXAM_STEPS.map((step) => reachedStop(step));
    expect(stops).toEqual([...stops].sort((a, b) => a - b));
    expect(ROAD[stops.at(-1) ?? 0]?.[0]).toBe('opened');
  });

  it('tells since when an exam is where it is', () => {
    expect(stepSince({ step: 'ordered', steps: NOTHING })).toBe('2026-11-21T10:00:00Z');
    const coming = { ...NOTHING, received_at: '2026-11-21T10:20:00Z' };
    expect(stepSince({ step: 'receiving', steps: coming })).toBe('2026-11-21T10:20:00Z');
    expect(stepSince({ step: 'queued', steps: { ...coming, complete_at: 'x' } })).toBe('x');
  });
});

describe('the clock from first medical contact to the ECG', () => {
  const contact = '2026-11-21T10:00:00Z';
  const later = Date.parse('2026-11-21T10:12:00Z');

  it('runs until the ECG is here', () => {
    const waiting = sinceFirstContact({ lane: 'ecg', first_contact_at: contact, steps: NOTHING }, later);
    expect(waiting).toEqual({ taken: 12 * 60_000, done: false });
    const steps = { ...NOTHING, received_at: '2026-11-21T10:08:00Z' };
    const done = sinceFirstContact({ lane: 'ecg', first_contact_at: contact, steps }, later);
    expect(done).toEqual({ taken: 8 * 60_000, done: true });
    expect(8 * 60_000).toBeLessThan(FIRST_CONTACT_TO_ECG);
  });

  it('is for ECGs of chest pain alone', () => {
    expect(sinceFirstContact({ lane: 'imaging', first_contact_at: contact, steps: NOTHING }, later)).toBeNull();
    expect(sinceFirstContact({ lane: 'ecg', first_contact_at: null, steps: NOTHING }, later)).toBeNull();
  });
});
