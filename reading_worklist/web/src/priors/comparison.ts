import { useSyncExternalStore } from 'react';

import type { PriorStudy } from '../api/types';

/** A prior that is open beside the study that is read. */
export interface Comparison {
  workitemId: string;
  prior: PriorStudy;
  /** Where the viewer shows both; null for an ECG, which our own pane draws. */
  url: string | null;
}

let current: Comparison | null = null;
const listeners = new Set<() => void>();

/** Shows a prior beside the study of an exam; null goes back to the study alone. */
export function compare(comparison: Comparison | null): void {
  current = comparison;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What is open beside the study of an exam. That of another exam never is. */
export function useComparison(workitemId: string): Comparison | null {
  const found = useSyncExternalStore(subscribe, () => current);
  return found?.workitemId === workitemId ? found : null;
}
