import { useSyncExternalStore } from 'react';

/** For how long a mute lasts: one shift. The banner is never muted. */
export const SHIFT_MS = 8 * 60 * 60 * 1000;

const KEY = 'rdc.critical-muted-until';
const listeners = new Set<() => void>();

/** The moment until which the alarm of a person is silent, in milliseconds; 0 when it is not. */
export function mutedUntil(person: string): number {
  const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null');
  if (typeof kept !== 'object' || kept === null || !('person' in kept) || !('until' in kept)) return 0;
  return kept.person === person && typeof kept.until === 'number' ? kept.until : 0;
}

/** Silences the alarm of a person for a shift, or lets it sound again. */
export function mute(person: string, now: number | null): void {
  localStorage.setItem(KEY, JSON.stringify({ person, until: now === null ? 0 : now + SHIFT_MS }));
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    removeEventListener('storage', listener);
  };
}

/** `mutedUntil`, kept up to date over all tabs. */
export function useMutedUntil(person: string): number {
  return useSyncExternalStore(subscribe, () => mutedUntil(person));
}
