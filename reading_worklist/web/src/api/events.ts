/** Server-sent events: one connection per tab, kept alive by itself. */

export type LiveState = 'connecting' | 'live' | 'lost';

/** `resync` follows a gap in the connection: anything may have changed. */
export type LiveEvent =
  | { kind: 'workitem'; id: string }
  | { kind: 'delivery' }
  | { kind: 'identity' }
  | { kind: 'order' }
  | { kind: 'quarantine' }
  | { kind: 'resync' };

type EventListener = (event: LiveEvent) => void;
type StateListener = () => void;

const FIRST_RETRY = 2_000;
const LONGEST_RETRY = 30_000;

/** The connection to /api/events; it opens with its first listener and closes after its last. */
export class LiveConnection {
  private source: EventSource | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | null = null;
  private retryDelay = FIRST_RETRY;
  private wasLost = false;
  private current: LiveState = 'connecting';
  private readonly eventListeners = new Set<EventListener>();
  private readonly stateListeners = new Set<StateListener>();

  readonly state = (): LiveState => this.current;

  readonly subscribeState = (listener: StateListener): (() => void) => {
    this.stateListeners.add(listener);
    return () => this.stateListeners.delete(listener);
  };

  /** Calls `listener` for every event until the returned function is called. */
  readonly subscribe = (listener: EventListener): (() => void) => {
    this.eventListeners.add(listener);
    if (this.source === null && this.retryTimer === null) this.open();
    return () => {
      this.eventListeners.delete(listener);
      if (this.eventListeners.size === 0) this.close();
    };
  };

  private open(): void {
    this.retryTimer = null;
    const source = new EventSource('/api/events');
    this.source = source;
    source.addEventListener('open', () => {
      this.retryDelay = FIRST_RETRY;
      this.setState('live');
      if (this.wasLost) this.emit({ kind: 'resync' });
      this.wasLost = false;
    });
    source.addEventListener('error', () => {
      this.wasLost = true;
      this.setState('lost');
      // The browser reconnects by itself after a broken connection, but not after an error status.
      if (source.readyState === EventSource.CLOSED) this.retryLater();
    });
    source.addEventListener('workitem', (message: MessageEvent<string>) => {
      this.emit({ kind: 'workitem', id: idOf(message.data) });
    });
    source.addEventListener('delivery', () => this.emit({ kind: 'delivery' }));
    source.addEventListener('identity', () => this.emit({ kind: 'identity' }));
    source.addEventListener('quarantine', () => this.emit({ kind: 'quarantine' }));
    source.addEventListener('order', () => this.emit({ kind: 'order' }));
  }

  private retryLater(): void {
    this.source = null;
    this.retryTimer = setTimeout(() => this.open(), this.retryDelay);
    this.retryDelay = Math.min(this.retryDelay * 2, LONGEST_RETRY);
  }

  private close(): void {
    if (this.retryTimer !== null) clearTimeout(this.retryTimer);
    this.retryTimer = null;
    this.source?.close();
    this.source = null;
    this.setState('connecting');
  }

  private emit(event: LiveEvent): void {
    for (const listener of this.eventListeners) listener(event);
  }

  private setState(state: LiveState): void {
    if (this.current === state) return;
    this.current = state;
    for (const listener of this.stateListeners) listener();
  }
}

function idOf(data: string): string {
  const body: unknown = JSON.parse(data);
  return typeof body === 'object' && body !== null && 'id' in body && typeof body.id === 'string' ? body.id : '';
}

export const live = new LiveConnection();
