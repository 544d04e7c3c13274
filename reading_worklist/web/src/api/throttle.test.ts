import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { throttled } from './throttle';

const DELAY = 100;
const INTERVAL = 600;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Work that takes so long, and the times at which it began. */
function lasting(milliseconds: number): { work: () => Promise<void>; begun: number[] } {
  const start = Date.now();
  const begun: number[] = [];
  const work = (): Promise<void> => {
    begun.push(Date.now() - start);
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
  };
  return { work, begun };
}

it('draws a burst together, and does not forget its end', async () => {
  const { work, begun } = lasting(0);
  const list = throttled(work, DELAY, INTERVAL);
  for (let times = 0; times < 10; times += 1) {
    list.run();
    await vi.advanceTimersByTimeAsync(30);
  }
  await vi.advanceTimersByTimeAsync(10 * INTERVAL);
  expect(begun).toEqual([DELAY, DELAY + INTERVAL]);
});

it('rests twenty times as long as its work took', async () => {
  const { work, begun } = lasting(200);
  const list = throttled(work, DELAY, INTERVAL);
  for (let times = 0; times < 100; times += 1) {
    list.run();
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(begun).toEqual([DELAY, DELAY + 200 + 20 * 200, DELAY + 2 * (200 + 20 * 200)]);
});

it('never works twice at a time, and works again for who asked meanwhile', async () => {
  const { work, begun } = lasting(5_000);
  const list = throttled(work, DELAY, INTERVAL);
  list.run();
  await vi.advanceTimersByTimeAsync(1_000);
  list.run();
  await vi.advanceTimersByTimeAsync(4_000);
  expect(begun).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(21 * 5_000);
  expect(begun).toHaveLength(2);
});

it('waits as long as its caller has patience, and no longer than the least patient one', async () => {
  const { work, begun } = lasting(0);
  const list = throttled(work, DELAY, INTERVAL);
  list.run(3_000);
  await vi.advanceTimersByTimeAsync(500);
  expect(begun).toEqual([]);
  list.run();
  list.run(3_000);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(begun).toEqual([500 + DELAY]);
});

it('goes on after work that failed, and does nothing more once it is cancelled', async () => {
  const work = vi.fn(() => Promise.reject(new Error('no server')));
  const list = throttled(work, DELAY, INTERVAL);
  list.run();
  await vi.advanceTimersByTimeAsync(INTERVAL);
  list.run();
  await vi.advanceTimersByTimeAsync(INTERVAL);
  expect(work).toHaveBeenCalledTimes(2);
  list.run();
  list.cancel();
  await vi.advanceTimersByTimeAsync(10 * INTERVAL);
  expect(work).toHaveBeenCalledTimes(2);
});
