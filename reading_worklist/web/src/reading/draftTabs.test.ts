import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { type Channel, DraftTabs } from './draftTabs';

/** Windows of one browser, which hear each other at once. */
class Air {
  private readonly channels: Channel[] = [];

  channel(): Channel {
    const made: Channel = {
      onmessage: null,
      postMessage: (data) => {
        for (const other of this.channels) if (other !== made) other.onmessage?.({ data } as MessageEvent);
      },
      close: () => this.channels.splice(this.channels.indexOf(made), 1),
    };
    this.channels.push(made);
    return made;
  }
}

const events: string[] = [];
const open = (air: Air, id: string): DraftTabs => {
  const tabs = new DraftTabs(
    () => air.channel(),
    id,
    () => Promise.resolve(events.push(`${id} saved`)),
    () => events.push(`${id} writes`),
  );
  tabs.open();
  return tabs;
};

beforeEach(() => {
  vi.useFakeTimers();
  events.length = 0;
});
afterEach(() => vi.useRealTimers());

it('lets the first window write and tells the second one at once', async () => {
  const air = new Air();
  const first = open(air, 'z');
  await vi.advanceTimersByTimeAsync(600);
  const second = open(air, 'a');
  expect([first.role(), second.role()]).toEqual(['here', 'elsewhere']);
});

it('hands over when the first window has saved', async () => {
  const air = new Air();
  const first = open(air, 'a');
  await vi.advanceTimersByTimeAsync(600);
  const second = open(air, 'b');
  second.takeOver();
  await vi.advanceTimersByTimeAsync(0);
  expect(events).toEqual(['a saved', 'b writes']);
  expect([first.role(), second.role()]).toEqual(['elsewhere', 'here']);
  await vi.advanceTimersByTimeAsync(5_000);
  first.takeOver();
  await vi.advanceTimersByTimeAsync(0);
  expect([first.role(), second.role()]).toEqual(['here', 'elsewhere']);
});

it('does not wait for ever for a window that has crashed', async () => {
  const air = new Air();
  const first = open(air, 'a');
  await vi.advanceTimersByTimeAsync(600);
  const second = open(air, 'b');
  first.close();
  second.takeOver();
  expect(second.role()).toBe('taking');
  await vi.advanceTimersByTimeAsync(2_000);
  expect(second.role()).toBe('here');
});

it('lets one of two windows write that were opened together', () => {
  const air = new Air();
  const windows = [open(air, 'b'), open(air, 'a')];
  expect(windows.map((each) => each.role()).filter((role) => role === 'here')).toHaveLength(1);
});

it('writes at once when the page is loaded again', async () => {
  const air = new Air();
  const first = open(air, 'a');
  await vi.advanceTimersByTimeAsync(600);
  first.close();
  expect(open(air, 'b').role()).toBe('here');
});
