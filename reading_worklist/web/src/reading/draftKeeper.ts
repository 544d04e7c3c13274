import type { DraftContent } from '../api/types';

/** A text that its browser has and the server lacks: of which revision it is, and when it was typed. */
export interface KeptDraft {
  content: DraftContent;
  revision: number;
  at: string;
}

type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;

const PREFIX = 'rdc.draft.';
/** Of what an earlier version of this page has kept. */
const NOTHING: DraftContent['ecg'] = { statements: [], confirmed: {} };
/** Older ones are of readings that somebody else has long written. */
const KEPT_FOR = 7 * 24 * 3_600_000;

/**
 * Keeps what is not saved yet in this browser, so that neither a crash nor a lost session costs a word. By exam and
 * person: on a shared computer nobody is offered another doctor's text. It goes as soon as the server has it.
 */
export class DraftKeeper {
  private readonly key: string;

  constructor(
    private readonly store: Store,
    workitemId: string,
    personId: string,
    private readonly now: () => number = Date.now,
  ) {
    this.key = `${PREFIX}${personId}.${workitemId}`;
    this.dropOld();
  }

  /** Keeps a text; false when the browser has no room for it. */
  keep(content: DraftContent, revision: number): boolean {
    const kept: KeptDraft = { content, revision, at: new Date(this.now()).toISOString() };
    try {
      this.store.setItem(this.key, JSON.stringify(kept));
      return true;
    } catch {
      return false;
    }
  }

  /** What was kept, null when there is nothing or it cannot be read. */
  read(): KeptDraft | null {
    return parsed(this.store.getItem(this.key));
  }

  clear(): void {
    this.store.removeItem(this.key);
  }

  private dropOld(): void {
    const names = Array.from({ length: this.store.length }, (_, index) => this.store.key(index));
    for (const name of names) {
      if (name?.startsWith(PREFIX) !== true) continue;
      const kept = parsed(this.store.getItem(name));
      if (kept === null || this.now() - Date.parse(kept.at) > KEPT_FOR) this.store.removeItem(name);
    }
  }
}

function parsed(text: string | null): KeptDraft | null {
  if (text === null) return null;
  try {
    const told = JSON.parse(text) as Partial<KeptDraft> | null;
    const { content, revision, at } = told ?? {};
    if (content === undefined || revision === undefined || at === undefined) return null;
    return { content: { ...content, ecg: (content as Partial<DraftContent>).ecg ?? NOTHING }, revision, at };
  } catch {
    return null;
  }
}

/** Whether two drafts say the same. */
export function sameContent(one: DraftContent, other: DraftContent): boolean {
  return (
    one.findings === other.findings &&
    one.impression === other.impression &&
    one.advice === other.advice &&
    one.addendum === other.addendum &&
    JSON.stringify(given(one)) === JSON.stringify(given(other)) &&
    JSON.stringify(one.ecg) === JSON.stringify(other.ecg)
  );
}

function given({ codes }: DraftContent): [string, unknown][] {
  return Object.entries(codes)
    .filter(([, value]) => value !== null)
    .sort(([a], [b]) => a.localeCompare(b));
}
