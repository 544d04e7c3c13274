import { asProblem, type Problem } from '../api/problem';
import type { DraftContent } from '../api/types';

export interface SavedDraft {
  revision: number;
  saved_at: string;
}

export type DraftStatus =
  | { kind: 'clean' }
  | { kind: 'unsaved' }
  | { kind: 'saving' }
  | { kind: 'saved'; at: string }
  | { kind: 'failed'; problem: Problem }
  | { kind: 'refused'; problem: Problem }
  | { kind: 'conflict' };

export interface DraftSnapshot {
  text: DraftContent;
  status: DraftStatus;
  /** Whether the server lacks some of the text. */
  dirty: boolean;
}

type Save = (text: DraftContent, revision: number) => Promise<SavedDraft>;

const QUIET_TIME = 800;
const FIRST_RETRY = 2_000;
const LONGEST_RETRY = 30_000;
const CONFLICT_CODE = 'stale-draft';

/**
 * Keeps a draft saved while it is typed: one save at a time, soon after the last key, again and again while the
 * server cannot be reached. It never overwrites a text that was saved elsewhere: then it stops, and a person decides.
 */
export class DraftSaver {
  private text: DraftContent;
  private savedText: DraftContent;
  private current: DraftSnapshot;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private running: Promise<void> | null = null;
  private retryDelay = FIRST_RETRY;
  private readonly listeners = new Set<() => void>();

  /** `revision` is the one the text was loaded with; 0 when there is no draft yet. */
  constructor(
    private readonly save: Save,
    text: DraftContent,
    private known: number,
    savedAt: string | null,
  ) {
    this.text = text;
    this.savedText = text;
    this.current = {
      text,
      status: savedAt === null ? { kind: 'clean' } : { kind: 'saved', at: savedAt },
      dirty: false,
    };
  }

  get revision(): number {
    return this.known;
  }

  readonly snapshot = (): DraftSnapshot => this.current;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Takes what was typed and saves it soon. */
  change(part: Partial<DraftContent>): void {
    this.text = { ...this.text, ...part };
    const { kind } = this.current.status;
    if (kind === 'conflict') {
      this.publish({ kind: 'conflict' });
      return;
    }
    this.publish({ kind: 'unsaved' });
    this.saveIn(QUIET_TIME);
  }

  /** Saves what is unsaved and returns when that has come to an end; true when the server has all of the text. */
  async flush(): Promise<boolean> {
    while (this.dirty() && this.current.status.kind !== 'conflict') {
      this.stopTimer();
      await (this.running ?? this.start());
      const { kind } = this.current.status;
      if (kind === 'failed' || kind === 'refused') break;
    }
    return !this.dirty();
  }

  /** Takes over a draft that was saved elsewhere. What was typed here and not saved is given up. */
  adopt(text: DraftContent, revision: number, savedAt: string): void {
    this.stopTimer();
    this.known = revision;
    this.text = text;
    this.savedText = text;
    this.publish({ kind: 'saved', at: savedAt });
  }

  /** Keeps the text of this window over the one saved elsewhere as `revision`, and saves it. */
  async keepMine(revision: number): Promise<boolean> {
    this.known = revision;
    this.publish({ kind: 'unsaved' });
    return this.flush();
  }

  private dirty(): boolean {
    const { text, savedText } = this;
    return (
      text.findings !== savedText.findings ||
      text.impression !== savedText.impression ||
      text.advice !== savedText.advice ||
      text.comparison !== savedText.comparison ||
      text.addendum !== savedText.addendum ||
      text.template_id !== savedText.template_id ||
      JSON.stringify(text.codes) !== JSON.stringify(savedText.codes) ||
      JSON.stringify(text.ecg) !== JSON.stringify(savedText.ecg)
    );
  }

  private saveIn(delay: number): void {
    this.stopTimer();
    this.timer = setTimeout(() => {
      this.timer = null;
      if (this.running === null) void this.start();
    }, delay);
  }

  private start(): Promise<void> {
    this.running = this.saveOnce().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async saveOnce(): Promise<void> {
    const sent = this.text;
    this.publish({ kind: 'saving' });
    try {
      const saved = await this.save(sent, this.known);
      this.known = saved.revision;
      this.savedText = sent;
      this.retryDelay = FIRST_RETRY;
      this.publish(this.dirty() ? { kind: 'unsaved' } : { kind: 'saved', at: saved.saved_at });
      if (this.dirty()) this.saveIn(QUIET_TIME);
    } catch (error) {
      this.onFailure(asProblem(error));
    }
  }

  private onFailure(problem: Problem): void {
    if (problem.code === CONFLICT_CODE) {
      this.publish({ kind: 'conflict' });
    } else if (problem.passing) {
      this.publish({ kind: 'failed', problem });
      this.saveIn(this.retryDelay);
      this.retryDelay = Math.min(this.retryDelay * 2, LONGEST_RETRY);
    } else {
      this.publish({ kind: 'refused', problem });
    }
  }

  private stopTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private publish(status: DraftStatus): void {
    this.current = { text: this.text, status, dirty: this.dirty() };
    for (const listener of this.listeners) listener();
  }
}
