import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { NO_ANSWER, Problem } from '../api/problem';
import type { DraftContent } from '../api/types';
import { DraftSaver, type SavedDraft } from './draftSaver';

const EMPTY: DraftContent = {
  findings: '',
  impression: '',
  advice: '',
  comparison: '',
  addendum: '',
  codes: {},
  template_id: null,
  ecg: { statements: [], confirmed: {} },
};
const problem = (status: number, code: string): Problem =>
  new Problem({ type: `urn:rdc:problem:${code}`, title: code, status });

/** A server that keeps one draft and refuses a save from an old revision. */
class Server {
  revision = 0;
  text = EMPTY;
  saves = 0;
  failure: Error | null = null;

  readonly save = (text: DraftContent, revision: number): Promise<SavedDraft> => {
    this.saves += 1;
    if (this.failure !== null) return Promise.reject(this.failure);
    if (revision !== this.revision) return Promise.reject(problem(409, 'stale-draft'));
    this.revision += 1;
    this.text = text;
    return Promise.resolve({ revision: this.revision, saved_at: '2026-11-21T10:00:00Z' });
  };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('saves once after the last key', async () => {
  const server = new Server();
  const saver = new DraftSaver(server.save, EMPTY, 0, null);
  for (const findings of ['两', '两肺', '两肺清晰']) {
    saver.change({ findings });
    await vi.advanceTimersByTimeAsync(300);
  }
  expect(saver.snapshot()).toMatchObject({ dirty: true, status: { kind: 'unsaved' } });
  await vi.advanceTimersByTimeAsync(800);
  expect(server.saves).toBe(1);
  expect(server.text.findings).toBe('两肺清晰');
  expect(saver.snapshot()).toMatchObject({ dirty: false, status: { kind: 'saved' } });
});

it('keeps trying while the server is away, and then saves what was typed last', async () => {
  const server = new Server();
  const saver = new DraftSaver(server.save, EMPTY, 0, null);
  server.failure = problem(NO_ANSWER, 'no-answer');
  saver.change({ findings: 'a' });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(saver.snapshot()).toMatchObject({ dirty: true, status: { kind: 'failed' } });
  saver.change({ findings: 'ab' });
  server.failure = null;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(server.text.findings).toBe('ab');
  expect(saver.snapshot().status.kind).toBe('saved');
});

it('never overwrites a draft saved elsewhere, until a person says so', async () => {
  const server = new Server();
  const saver = new DraftSaver(server.save, EMPTY, 0, null);
  server.revision = 3;
  server.text = { ...EMPTY, findings: 'theirs' };
  saver.change({ findings: 'mine' });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(saver.snapshot().status.kind).toBe('conflict');
  saver.change({ findings: 'mine, more' });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(server).toMatchObject({ saves: 1, text: { findings: 'theirs' } });

  expect(await saver.keepMine(3)).toBe(true);
  expect(server.text.findings).toBe('mine, more');
});

it('can take the draft saved elsewhere instead', async () => {
  const server = new Server();
  const saver = new DraftSaver(server.save, EMPTY, 0, null);
  server.revision = 3;
  saver.change({ findings: 'mine' });
  await vi.advanceTimersByTimeAsync(2_000);
  saver.adopt({ ...EMPTY, findings: 'theirs' }, 3, '2026-11-21T10:00:00Z');
  expect(saver.snapshot()).toMatchObject({ text: { findings: 'theirs' }, dirty: false });
  saver.change({ findings: 'theirs and mine' });
  expect(await saver.flush()).toBe(true);
  expect(server.text.findings).toBe('theirs and mine');
});

it('stops at a refusal and says why', async () => {
  const server = new Server();
  const saver = new DraftSaver(server.save, EMPTY, 0, null);
  server.failure = problem(409, 'not-holder');
  saver.change({ findings: 'a' });
  expect(await saver.flush()).toBe(false);
  expect(saver.snapshot().status).toMatchObject({ kind: 'refused', problem: { code: 'not-holder' } });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(server.saves).toBe(1);
});

it('flush waits for a running save and saves what came after it', async () => {
  const server = new Server();
  let answer: (() => void) | undefined;
  const slow = async (text: DraftContent, revision: number): Promise<SavedDraft> => {
    if (server.saves === 0) await new Promise<void>((resolve) => (answer = resolve));
    return server.save(text, revision);
  };
  const saver = new DraftSaver(slow, EMPTY, 0, null);
  saver.change({ impression: 'a' });
  const first = saver.flush();
  saver.change({ impression: 'ab' });
  answer?.();
  expect(await first).toBe(true);
  expect(server).toMatchObject({ revision: 2, text: { impression: 'ab' } });
});

it('saves a code that was chosen like a text that was typed', async () => {
  const server = new Server();
  const saver = new DraftSaver(server.save, EMPTY, 0, null);
  saver.change({ codes: { bi_rads: '4A' } });
  expect(await saver.flush()).toBe(true);
  expect(server.text.codes).toEqual({ bi_rads: '4A' });
});
