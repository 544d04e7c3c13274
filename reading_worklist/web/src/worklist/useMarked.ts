import { useCallback, useMemo, useState } from 'react';

import type { WorklistLine } from '../api/types';
import type { Rows } from './queries';
import { rowsBetween } from './selection';

export interface Marked {
  ids: ReadonlySet<string>;
  items: readonly WorklistLine[];
  /** Marks a row or takes its mark away; `upTo`: marks all from the last one that was marked. */
  toggle: (index: number, item: WorklistLine, upTo: boolean) => void;
  clear: () => void;
}

/** The rows that are marked to be given to somebody together; they stay so while the list moves. */
export function useMarked(rows: Rows): Marked {
  const [marked, setMarked] = useState<ReadonlyMap<string, WorklistLine>>(new Map());
  const [last, setLast] = useState<string | null>(null);
  const ids = useMemo(() => new Set(marked.keys()), [marked]);
  const items = useMemo(() => [...marked.values()], [marked]);
  const toggle = (index: number, item: WorklistLine, upTo: boolean): void => {
    const from = upTo && last !== null ? rows.indexOf(last) : undefined;
    const next = new Map(marked);
    if (from !== undefined) for (const row of rowsBetween(rows, from, index)) next.set(row.id, row);
    else if (!next.delete(item.id)) next.set(item.id, item);
    setMarked(next);
    setLast(item.id);
  };
  const clear = useCallback(() => setMarked(new Map()), []);
  return { ids, items, toggle, clear };
}
