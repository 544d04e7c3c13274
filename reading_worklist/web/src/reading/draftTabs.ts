/** Who writes: this window, another one of the same browser, or this one as soon as the other has let go. */
export type TabRole = 'here' | 'elsewhere' | 'taking';

interface Message {
  kind: 'hello' | 'here' | 'take' | 'released';
  from: string;
}

/** What a BroadcastChannel does; its own messages never come back to it. */
export interface Channel {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}

/** How long a window that has just opened listens for one that writes already. */
const GREETING = 500;
/** A window that was frozen or has crashed does not answer; the server's revision protects its text all the same. */
const PATIENCE = 2_000;

/**
 * Lets one window of a browser write a draft at a time. The one that wrote first goes on; a second one is told at once
 * and may take over, after the first has saved. Between browsers the server's revision decides (see DraftSaver).
 */
export class DraftTabs {
  private current: TabRole = 'here';
  private fresh = true;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private channel: Channel | null = null;
  private readonly listeners = new Set<() => void>();

  /** `letGo` saves what is typed here; `taken` is called when this window may write after another one did. */
  constructor(
    private readonly connect: () => Channel,
    private readonly id: string,
    private readonly letGo: () => Promise<unknown>,
    private readonly taken: () => void,
  ) {}

  /** Says hello to the other windows, until `close`. */
  open(): void {
    this.fresh = true;
    this.channel = this.connect();
    this.channel.onmessage = (event) => void this.hear(event.data as Message);
    this.say('hello');
    this.timer = setTimeout(() => (this.fresh = false), GREETING);
  }

  readonly role = (): TabRole => this.current;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Asks the window that writes to save and stop. */
  takeOver(): void {
    if (this.current !== 'elsewhere') return;
    this.become('taking');
    this.say('take');
    this.timer = setTimeout(() => this.take(), PATIENCE);
  }

  close(): void {
    clearTimeout(this.timer);
    this.channel?.close();
    this.channel = null;
  }

  private async hear({ kind, from }: Message): Promise<void> {
    switch (kind) {
      case 'hello':
        // Of two that open at once, the one whose name comes first goes on.
        if (this.current !== 'here') return;
        if (!this.fresh || this.id < from) this.say('here');
        else this.become('elsewhere');
        return;
      case 'here':
        if (this.current === 'here' && this.fresh) this.become('elsewhere');
        return;
      case 'take':
        if (this.current === 'elsewhere') return;
        clearTimeout(this.timer);
        this.become('elsewhere');
        await this.letGo();
        this.say('released');
        return;
      case 'released':
        if (this.current === 'taking') this.take();
    }
  }

  private take(): void {
    clearTimeout(this.timer);
    if (this.current !== 'taking') return;
    this.fresh = false;
    this.become('here');
    this.taken();
  }

  private say(kind: Message['kind']): void {
    this.channel?.postMessage({ kind, from: this.id } satisfies Message);
  }

  private become(role: TabRole): void {
    this.current = role;
    for (const listener of this.listeners) listener();
  }
}
