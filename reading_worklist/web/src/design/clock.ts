import { useSyncExternalStore } from 'react';

import { serverNow } from '../api/serverClock';

/** One timer for all countdowns of a page; it stops when nobody looks. */
class Ticker {
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setInterval> | null = null;
  private value = serverNow();

  constructor(private readonly period: number) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    this.timer ??= setInterval(() => this.tick(), this.period);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0 && this.timer !== null) {
        clearInterval(this.timer);
        this.timer = null;
      }
    };
  };

  readonly now = (): number => {
    // Without a running timer the kept value would be old.
    if (this.timer === null && Math.abs(serverNow() - this.value) >= this.period) this.value = serverNow();
    return this.value;
  };

  private tick(): void {
    this.value = serverNow();
    for (const listener of this.listeners) listener();
  }
}

const everySecond = new Ticker(1000);
const everyMinute = new Ticker(60_000);

/** The server's time in milliseconds, renewed every second. */
export function useSecond(): number {
  return useSyncExternalStore(everySecond.subscribe, everySecond.now);
}

/** What follows from the server's time, looked at every second; `from` is pure and gives equal values for equal looks. */
export function useAtSecond<Value extends string | number>(from: (now: number) => Value): Value {
  return useSyncExternalStore(everySecond.subscribe, () => from(everySecond.now()));
}

/** The server's time in milliseconds, renewed every minute. */
export function useMinute(): number {
  return useSyncExternalStore(everyMinute.subscribe, everyMinute.now);
}
