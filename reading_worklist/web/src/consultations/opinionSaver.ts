import type { LocalKeeper } from '../api/localKeeper';
import { asProblem, type Problem } from '../api/problem';

export interface KeptOpinion {
  text: string;
  revision: number;
}

export type OpinionStatus = { kind: 'kept' } | { kind: 'unsaved' } | { kind: 'failed'; problem: Problem };

const QUIET_TIME = 800;
const RETRY = 5_000;

/**
 * Keeps an opinion saved while it is typed: one save at a time, soon after the last key, again while the server cannot
 * be reached; until then this browser keeps it, also for when the page was closed. When it was saved elsewhere, it
 * stops: the page is to be loaded again.
 */
export class OpinionSaver {
  private text: string;
  private saved: string;
  private revision: number;
  private current: OpinionStatus = { kind: 'kept' };
  private timer: ReturnType<typeof setTimeout> | null = null;
  private running: Promise<void> | null = null;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly save: (opinion: KeptOpinion) => Promise<KeptOpinion>,
    kept: KeptOpinion,
    private readonly keeper: Pick<LocalKeeper<string>, 'keep' | 'read' | 'clear'>,
  ) {
    this.text = kept.text;
    this.saved = kept.text;
    this.revision = kept.revision;
  }

  /** What this browser has of an earlier visit and the server lacks; null where that is nothing. */
  unsaved(): { text: string; follows: boolean } | null {
    const kept = this.keeper.read();
    return kept === null || kept.content === this.saved
      ? null
      : { text: kept.content, follows: kept.revision === this.revision };
  }

  /** What `unsaved` told of is not wanted. */
  forget(): void {
    this.keeper.clear();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly status = (): OpinionStatus => this.current;

  change(text: string): void {
    this.text = text;
    this.keeper.keep(text, this.revision);
    if (this.current.kind === 'failed' && !this.current.problem.passing) return;
    this.publish({ kind: 'unsaved' });
    this.saveIn(QUIET_TIME);
  }

  /** Saves what is not saved yet, such as when the page is left. */
  async flush(): Promise<void> {
    this.stop();
    await this.running;
    if (this.text === this.saved || (this.current.kind === 'failed' && !this.current.problem.passing)) return;
    this.running = this.once();
    await this.running;
    this.running = null;
  }

  /** It was signed: nothing is to be saved any more. */
  done(): void {
    this.stop();
    this.saved = this.text;
    this.keeper.clear();
  }

  private async once(): Promise<void> {
    const { text, revision } = this;
    try {
      const kept = await this.save({ text, revision });
      this.revision = kept.revision;
      this.saved = text;
      if (this.text === text) {
        this.keeper.clear();
        this.publish({ kind: 'kept' });
      } else {
        this.keeper.keep(this.text, this.revision);
        this.saveIn(QUIET_TIME);
      }
    } catch (error) {
      const problem = asProblem(error);
      this.publish({ kind: 'failed', problem });
      if (problem.passing) this.saveIn(RETRY);
    }
  }

  private saveIn(milliseconds: number): void {
    this.stop();
    this.timer = setTimeout(() => void this.flush(), milliseconds);
  }

  private stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private publish(status: OpinionStatus): void {
    this.current = status;
    for (const listener of this.listeners) listener();
  }
}
