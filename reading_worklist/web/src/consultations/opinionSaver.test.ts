import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { NO_ANSWER, Problem } from '../api/problem';
import { LocalKeeper } from '../api/localKeeper';
import { MemoryStore } from '../api/localKeeper.testing';
import { type KeptOpinion, OpinionSaver } from './opinionSaver';

/** A server that keeps one opinion and refuses a save from an old revision. */
class Server {
  kept: KeptOpinion = { text: '', revision: 0 };
  away = false;

  readonly save = ({ text, revision }: KeptOpinion): Promise<KeptOpinion> => {
    if (this.away)
      return Promise.reject(new Problem({ type: 'urn:rdc:problem:no-answer', title: '', status: NO_ANSWER }));
    if (revision !== this.kept.revision) {
      return Promise.reject(new Problem({ type: 'urn:rdc:problem:stale-draft', title: '', status: 409 }));
    }
    this.kept = { text, revision: revision + 1 };
    return Promise.resolve(this.kept);
  };
}

let store = new MemoryStore();
const keeper = (): LocalKeeper<string> =>
  new LocalKeeper(store, 'rdc.opinion.', 'expert', 'case', (told) => (typeof told === 'string' ? told : null));

beforeEach(() => {
  store = new MemoryStore();
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

it('is saved once the keys rest, and again for what was typed meanwhile', async () => {
  const server = new Server();
  const saver = new OpinionSaver(server.save, server.kept, keeper());
  for (const text of ['右', '右上', '右上肺']) saver.change(text);
  expect(saver.status().kind).toBe('unsaved');
  await vi.advanceTimersByTimeAsync(1_000);
  expect([server.kept, saver.status().kind]).toEqual([{ text: '右上肺', revision: 1 }, 'kept']);
  saver.change('右上肺结节');
  await saver.flush();
  expect(server.kept).toEqual({ text: '右上肺结节', revision: 2 });
});

it('is tried again while the server is away', async () => {
  const server = new Server();
  const saver = new OpinionSaver(server.save, server.kept, keeper());
  server.away = true;
  saver.change('结节');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(saver.status().kind).toBe('failed');
  server.away = false;
  await vi.advanceTimersByTimeAsync(6_000);
  expect([server.kept.text, saver.status().kind]).toEqual(['结节', 'kept']);
});

it('never overwrites what another window saved', async () => {
  const server = new Server();
  const saver = new OpinionSaver(server.save, server.kept, keeper());
  server.kept = { text: '另一窗口', revision: 1 };
  saver.change('这个窗口');
  await vi.advanceTimersByTimeAsync(60_000);
  saver.change('这个窗口又写');
  await vi.advanceTimersByTimeAsync(60_000);
  expect([server.kept.text, saver.status().kind]).toEqual(['另一窗口', 'failed']);
});

it('is kept by the browser while the server is away, for whoever opens the page again', async () => {
  const server = new Server();
  server.away = true;
  const saver = new OpinionSaver(server.save, server.kept, keeper());
  saver.change('右上肺结节');
  await vi.advanceTimersByTimeAsync(1_000);
  const again = new OpinionSaver(server.save, server.kept, keeper());
  expect(again.unsaved()).toEqual({ text: '右上肺结节', follows: true });
  server.kept = { text: '另一处', revision: 1 };
  expect(new OpinionSaver(server.save, server.kept, keeper()).unsaved()).toEqual({
    text: '右上肺结节',
    follows: false,
  });
  server.kept = { text: '', revision: 0 };
  server.away = false;
  await vi.advanceTimersByTimeAsync(6_000);
  expect([server.kept.text, store.length]).toEqual(['右上肺结节', 0]);
});
