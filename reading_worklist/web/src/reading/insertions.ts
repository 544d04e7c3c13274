import { useEffect, useSyncExternalStore } from 'react';

import type { ReportText } from '../api/types';

/** A text that somebody takes over into the report, at the end of one of its fields. */
export interface Insertion {
  field: keyof ReportText | 'comparison';
  text: string;
}

type Target = (insertion: Insertion) => void;

/**
 * The way of a text from a panel (a prior, a measurement, a key image) into the report that is being written. There is
 * a target only while this person writes; nothing is ever inserted that was not asked for.
 */
export class Insertions {
  private target: Target | null = null;
  private readonly listeners = new Set<() => void>();

  /** Names who takes texts, until the returned function is called. */
  readonly register = (target: Target): (() => void) => {
    this.target = target;
    this.tell();
    return () => {
      if (this.target !== target) return;
      this.target = null;
      this.tell();
    };
  };

  /** Whether somebody takes texts. */
  readonly open = (): boolean => this.target !== null;

  /** Passes a text on; false when nobody takes it. */
  readonly insert = (insertion: Insertion): boolean => {
    this.target?.(insertion);
    return this.target !== null;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

export const insertions = new Insertions();

/** How panels insert: null while nothing is being written here. */
export function useInsert(): Insertions['insert'] | null {
  const open = useSyncExternalStore(insertions.subscribe, insertions.open);
  return open ? insertions.insert : null;
}

/** Takes the texts that panels insert, for as long as the editor is shown. */
export function useInsertionTarget(target: Target): void {
  useEffect(() => insertions.register(target), [target]);
}

/** Returns `old` with `text` as its last paragraph. */
export function appended(old: string, text: string): string {
  return old.trim() === '' ? text : `${old.trimEnd()}\n${text}`;
}
