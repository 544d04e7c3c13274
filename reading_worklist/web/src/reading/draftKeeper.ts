import { type Kept, LocalKeeper, type Store } from '../api/localKeeper';
import type { DraftContent } from '../api/types';

export type KeptDraft = Kept<DraftContent>;

/** Of what an earlier version of this page has kept. */
const NOTHING: DraftContent['ecg'] = { statements: [], confirmed: {} };

/** Keeps the draft of a report that is not saved yet in this browser. */
export class DraftKeeper extends LocalKeeper<DraftContent> {
  constructor(store: Store, workitemId: string, personId: string, now?: () => number) {
    super(store, 'rdc.draft.', personId, workitemId, usable, now);
  }
}

function usable(content: unknown): DraftContent | null {
  if (content === undefined || content === null) return null;
  const told = content as DraftContent;
  const early = told as Partial<DraftContent>;
  return { ...told, comparison: early.comparison ?? '', ecg: early.ecg ?? NOTHING };
}

/** Whether two drafts say the same. */
export function sameContent(one: DraftContent, other: DraftContent): boolean {
  return (
    one.findings === other.findings &&
    one.impression === other.impression &&
    one.advice === other.advice &&
    one.comparison === other.comparison &&
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
