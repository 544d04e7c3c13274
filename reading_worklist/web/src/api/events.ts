/** Server-sent events: one connection per tab, kept alive by itself. */

import type { Lane, WorklistLine } from './types';

export type LiveState = 'connecting' | 'live' | 'lost';

/** A workitem that changed. `line`: as the worklist shows it now; null for whom it is not, and when much changes at once. */
export interface WorkitemEvent {
  kind: 'workitem';
  id: string;
  lane: Lane | null;
  line: WorklistLine | null;
}

/** `resync` follows a gap in the connection: anything may have changed. */
export type LiveEvent =
  | WorkitemEvent
  | { kind: 'critical_value' | 'consultation' | 'retake'; id: string }
  | { kind: 'delivery' | 'destination' | 'identity' | 'order' | 'quarantine' | 'exam_note' | 'resync' };

const KINDS_WITH_ID = ['critical_value', 'consultation', 'retake'] as const;
const KINDS = ['delivery', 'destination', 'identity', 'order', 'quarantine', 'exam_note'] as const;

type EventListener = (event: LiveEvent) => void;
type StateListener = () => void;

const FIRST_RETRY = 2_000;
const LONGEST_RETRY = 30_000;
/** The server says something every 15 s. Whoever hears nothing for longer has lost it, even if the browser has not noticed. */
const LONGEST_SILENCE = 40_000;

/** The connection to /api/events; it opens with its first listener and closes after its last. */
export class LiveConnection {
  private source: EventSource | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | null = null;
  private retryDelay = FIRST_RETRY;
  private wasLost = false;
  private current: LiveState = 'connecting';
  private silenceTimer: ReturnType<typeof setTimeout> | null = null;
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
    if (this.eventListeners.size === 1) {
      addEventListener('offline', this.onOffline);
      addEventListener('online', this.onOnline);
      this.open();
    }
    return () => {
      this.eventListeners.delete(listener);
      if (this.eventListeners.size === 0) this.close();
    };
  };

  /** A connection that hangs on a dead network says nothing by itself. */
  private readonly onOffline = (): void => this.lose();

  private readonly onOnline = (): void => {
    this.retryDelay = FIRST_RETRY;
    this.reopen();
  };

  private open(): void {
    const source = new EventSource('/api/events');
    this.source = source;
    this.heard();
    source.addEventListener('open', () => {
      this.retryDelay = FIRST_RETRY;
      this.heard();
      this.setState('live');
      if (this.wasLost) this.emit({ kind: 'resync' });
      this.wasLost = false;
    });
    source.addEventListener('error', () => this.lose());
    source.addEventListener('ping', () => this.heard());
    source.addEventListener('workitem', (message: MessageEvent<string>) => {
      this.heard();
      const { id = '', lane = null, line = null } = JSON.parse(message.data) as Partial<WorkitemEvent>;
      this.emit({ kind: 'workitem', id, lane, line });
    });
    for (const kind of KINDS_WITH_ID) {
      source.addEventListener(kind, (message: MessageEvent<string>) => {
        this.heard();
        this.emit({ kind, id: idOf(message.data) });
      });
    }
    for (const kind of KINDS) {
      source.addEventListener(kind, () => {
        this.heard();
        this.emit({ kind });
      });
    }
  }

  private heard(): void {
    this.forget('silenceTimer');
    this.silenceTimer = setTimeout(() => this.lose(), LONGEST_SILENCE);
  }

  /** Takes the connection for dead and tries anew; the browser would not after an error status, and late after silence. */
  private lose(): void {
    this.wasLost = true;
    this.setState('lost');
    this.drop();
    this.retryTimer = setTimeout(() => this.reopen(), this.retryDelay);
    this.retryDelay = Math.min(this.retryDelay * 2, LONGEST_RETRY);
  }

  private reopen(): void {
    this.drop();
    this.open();
  }

  /** Leaves the connection and every timer of it. */
  private drop(): void {
    this.forget('retryTimer');
    this.forget('silenceTimer');
    this.source?.close();
    this.source = null;
  }

  private forget(timer: 'retryTimer' | 'silenceTimer'): void {
    if (this[timer] !== null) clearTimeout(this[timer]);
    this[timer] = null;
  }

  private close(): void {
    removeEventListener('offline', this.onOffline);
    removeEventListener('online', this.onOnline);
    this.drop();
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
