import { useEffect, useState, useSyncExternalStore } from 'react';

import {
  agree,
  channelOf,
  type FromPage,
  type FromViewer,
  LOST_AFTER,
  placeFeatures,
  type Shown,
  tabToken,
  type Wanted,
} from './viewerLink';

/** What is known of the viewer's own window. `astray`: it shows another exam than the page, or nothing yet. */
export interface SecondWindowState {
  isOpen: boolean;
  astray: boolean;
}

const LOOK_EVERY = 1_000;
/** A window that follows needs a moment; one that does not is told of after it. */
const FOLLOWS_WITHIN = 4_000;
const CLOSED: SecondWindowState = { isOpen: false, astray: false };

/**
 * The viewer in a window of its own, seen from the page. It lives as long as the tab, from one exam to the next, and
 * finds its window again after a reload.
 */
export class SecondWindow {
  private readonly token = tabToken();
  private readonly channel = channelOf(this.token);
  private handle: Window | null = null;
  private current: SecondWindowState = CLOSED;
  private wanted: Wanted | null = null;
  private wantedSince = 0;
  private shown: Shown | null = null;
  private heardAt = 0;
  private timer: ReturnType<typeof setInterval> | null = null;
  private readonly listeners = new Set<() => void>();
  private readonly workers = new Set<() => void>();

  constructor() {
    this.channel.addEventListener('message', ({ data }: MessageEvent<FromViewer | FromPage>) => {
      if (data.from === 'viewer') this.hear(data);
    });
  }

  readonly state = (): SecondWindowState => this.current;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Calls `worker` when somebody works in the viewer's window, until the returned function is called. */
  readonly onActivity = (worker: () => void): (() => void) => {
    this.workers.add(worker);
    return () => this.workers.delete(worker);
  };

  /** Opens the window where it stood last; false when the browser does not allow it. */
  open(): boolean {
    this.handle = window.open(`/viewing?with=${this.token}`, `rdc-viewer-${this.token}`, placeFeatures());
    if (this.handle === null) return false;
    this.handle.focus();
    this.heardAt = Date.now();
    this.wantedSince = Date.now();
    this.watch();
    this.publish();
    return true;
  }

  /** Closes the window: its images come back beside the report. */
  bringBack(): void {
    this.handle?.close();
    this.tell({ from: 'page', wanted: null });
    this.closed();
  }

  /** Says which exam the page shows; null when it shows none any more. */
  present(wanted: Wanted | null): void {
    if (!agree(this.wanted, wanted)) this.wantedSince = Date.now();
    this.wanted = wanted;
    this.tell({ from: 'page', wanted });
    this.publish();
  }

  private hear(message: FromViewer): void {
    if (message.says === 'bye') {
      // A window that is only being loaded again says hello at once.
      this.heardAt = Date.now() - LOST_AFTER + LOOK_EVERY;
      return;
    }
    this.heardAt = Date.now();
    if (message.says === 'active') for (const worker of this.workers) worker();
    if (message.says === 'hello') this.tell({ from: 'page', wanted: this.wanted });
    if (message.says === 'showing') this.shown = message.shown;
    this.watch();
    this.publish();
  }

  private watch(): void {
    this.timer ??= setInterval(() => this.look(), LOOK_EVERY);
  }

  private look(): void {
    const silent = Date.now() - this.heardAt > LOST_AFTER;
    // A window tells nobody that it was closed by force.
    if (silent || this.handle?.closed === true) this.closed();
    else this.publish();
  }

  private closed(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.handle = null;
    this.shown = null;
    this.set(CLOSED);
  }

  private publish(): void {
    if (this.timer === null) return;
    const waited = Date.now() - this.wantedSince > FOLLOWS_WITHIN;
    this.set({ isOpen: true, astray: waited && !agree(this.shown, this.wanted) });
  }

  private set(next: SecondWindowState): void {
    if (next.isOpen === this.current.isOpen && next.astray === this.current.astray) return;
    this.current = next;
    for (const listener of this.listeners) listener();
  }

  private tell(message: FromPage): void {
    this.channel.postMessage(message);
  }
}

let made: SecondWindow | null = null;

/** The viewer window of this tab, which follows what the page shows. */
export function useSecondWindow(wanted: Wanted, onActivity: () => void): [SecondWindow, SecondWindowState] {
  const [second] = useState(() => (made ??= new SecondWindow()));
  const seen = useSyncExternalStore(second.subscribe, second.state);
  const { id, patientId, url, beside } = wanted;
  useEffect(() => {
    second.present({ id, patientId, url, beside });
  }, [second, id, patientId, url, beside]);
  useEffect(() => () => second.present(null), [second]);
  useEffect(() => second.onActivity(onActivity), [second, onActivity]);
  return [second, seen];
}
