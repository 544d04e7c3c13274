import { useCallback, useState } from 'react';

import type { WorklistLine } from '../api/types';
import type { Rows } from './queries';

export interface Selection {
  /** Where the keyboard is; null before its first key. */
  index: number | null;
  /** The row there; null too while it is on its way. */
  selected: WorklistLine | null;
  select: (index: number) => void;
  move: (by: number) => void;
  clear: () => void;
}

interface Chosen {
  index: number;
  id: string | null;
}

/**
 * The row that the keyboard works on. It follows its workitem when the list moves under it,
 * and stays at its place when the workitem leaves the list.
 */
export function useSelection(rows: Rows): Selection {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const index = chosen === null || rows.total === 0 ? null : placeOf(chosen, rows);
  const selected = index === null ? null : (rows.at(index) ?? null);
  // Once its row is here, or another stands in its place, that is what the selection follows.
  if (chosen !== null && index !== null && selected !== null && (chosen.id !== selected.id || chosen.index !== index)) {
    setChosen({ index, id: selected.id });
  }
  const select = useCallback(
    (wanted: number) => {
      const place = Math.max(0, Math.min(rows.total - 1, wanted));
      if (rows.total > 0) setChosen({ index: place, id: rows.at(place)?.id ?? null });
    },
    [rows],
  );
  const move = useCallback((by: number) => select(index === null ? 0 : index + by), [index, select]);
  const clear = useCallback(() => setChosen(null), []);
  return { index, selected, select, move, clear };
}

function placeOf(chosen: Chosen, rows: Rows): number {
  const found = chosen.id === null ? undefined : rows.indexOf(chosen.id);
  return found ?? Math.min(chosen.index, rows.total - 1);
}

/** The marked rows between two places, both included, in the order of the list; those not here are left out. */
export function rowsBetween(rows: Rows, a: number, b: number): WorklistLine[] {
  const found: WorklistLine[] = [];
  for (let index = Math.min(a, b); index <= Math.max(a, b); index += 1) {
    const row = rows.at(index);
    if (row !== undefined) found.push(row);
  }
  return found;
}
