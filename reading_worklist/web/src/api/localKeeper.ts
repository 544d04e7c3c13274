/** A text that its browser has and the server lacks: of which revision it is, and when it was typed. */
export interface Kept<Content> {
  content: Content;
  revision: number;
  at: string;
}

export type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;

/** Older ones are of what somebody else has long written. */
const KEPT_FOR = 7 * 24 * 3_600_000;

/**
 * Keeps what is not saved yet in this browser, so that neither a crash nor a lost session costs a word. By what it is
 * about and person: on a shared computer nobody is offered another doctor's text. It goes as soon as the server has it.
 */
export class LocalKeeper<Content> {
  private readonly key: string;

  /** `prefix` names a kind of texts; `usable` gives what can be used of what was kept, null where that is nothing. */
  constructor(
    private readonly store: Store,
    private readonly prefix: string,
    personId: string,
    id: string,
    private readonly usable: (content: unknown) => Content | null,
    private readonly now: () => number = Date.now,
  ) {
    this.key = `${prefix}${personId}.${id}`;
    this.dropOld();
  }

  /** Keeps a text; false when the browser has no room for it. */
  keep(content: Content, revision: number): boolean {
    const kept: Kept<Content> = { content, revision, at: new Date(this.now()).toISOString() };
    try {
      this.store.setItem(this.key, JSON.stringify(kept));
      return true;
    } catch {
      return false;
    }
  }

  /** What was kept, null when there is nothing or it cannot be read. */
  read(): Kept<Content> | null {
    return this.parsed(this.store.getItem(this.key));
  }

  clear(): void {
    this.store.removeItem(this.key);
  }

  private dropOld(): void {
    const names = Array.from({ length: this.store.length }, (_, index) => this.store.key(index));
    for (const name of names) {
      if (name?.startsWith(this.prefix) !== true) continue;
      const kept = this.parsed(this.store.getItem(name));
      if (kept === null || this.now() - Date.parse(kept.at) > KEPT_FOR) this.store.removeItem(name);
    }
  }

  private parsed(text: string | null): Kept<Content> | null {
    if (text === null) return null;
    try {
      const { content, revision, at } = (JSON.parse(text) as Partial<Kept<unknown>> | null) ?? {};
      if (revision === undefined || at === undefined) return null;
      const found = this.usable(content);
      return found === null ? null : { content: found, revision, at };
    } catch {
      return null;
    }
  }
}
