import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { LiveConnection, type LiveEvent } from './events';

/** What a browser's EventSource does, at the will of the test. */
class Source extends EventTarget {
  static made: Source[] = [];
  closed = false;
  constructor(readonly url: string) {
    super();
    Source.made.push(this);
  }
  close(): void {
    this.closed = true;
  }
  say(kind: string, data = '{}'): void {
    this.dispatchEvent(Object.assign(new Event(kind), { data }));
  }
}

const PING = 15_000;
const network = new EventTarget();
const heard: LiveEvent[] = [];
let live: LiveConnection;
let leave: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', Source);
  vi.stubGlobal('addEventListener', network.addEventListener.bind(network));
  vi.stubGlobal('removeEventListener', network.removeEventListener.bind(network));
  Source.made = [];
  heard.length = 0;
  live = new LiveConnection();
  leave = live.subscribe((event) => heard.push(event));
  Source.made[0]?.say('open');
});

afterEach(() => {
  leave();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const last = (): Source => Source.made[Source.made.length - 1] ?? new Source('');

it('is live while the server says something, and passes on what it says', () => {
  for (let times = 0; times < 10; times += 1) {
    vi.advanceTimersByTime(PING);
    last().say('ping');
  }
  last().say('workitem', '{"id": "1", "state": "QUEUED", "lane": "ecg"}');
  last().say('workitem', '{"id": "1", "state": "QUEUED", "lane": "ecg", "line": {"id": "1"}}');
  last().say('retake', '{"id": "2"}');
  last().say('order');
  expect(live.state()).toBe('live');
  expect(heard).toEqual([
    { kind: 'workitem', id: '1', lane: 'ecg', line: null },
    { kind: 'workitem', id: '1', lane: 'ecg', line: { id: '1' } },
    { kind: 'retake', id: '2' },
    { kind: 'order' },
  ]);
  expect(Source.made).toHaveLength(1);
});

it('is lost in silence, even if the browser believes otherwise, and tells of the gap afterwards', () => {
  vi.advanceTimersByTime(3 * PING);
  expect(live.state()).toBe('lost');
  expect(Source.made[0]?.closed).toBe(true);
  vi.advanceTimersByTime(PING);
  last().say('open');
  expect(live.state()).toBe('live');
  expect(heard).toEqual([{ kind: 'resync' }]);
});

it('is lost at once when the network goes, and tries at once when it is back', () => {
  network.dispatchEvent(new Event('offline'));
  expect(live.state()).toBe('lost');
  const before = Source.made.length;
  network.dispatchEvent(new Event('online'));
  expect(Source.made.length).toBe(before + 1);
  last().say('open');
  expect(live.state()).toBe('live');
});

it('tries again after an error, and no more once nobody listens', () => {
  last().say('error');
  vi.advanceTimersByTime(PING);
  expect(Source.made.length).toBeGreaterThan(1);
  leave();
  const made = Source.made.length;
  expect(last().closed).toBe(true);
  vi.advanceTimersByTime(20 * PING);
  expect(Source.made.length).toBe(made);
});
