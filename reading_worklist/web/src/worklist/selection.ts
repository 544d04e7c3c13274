import { useCallback, useState } from 'react';

import type { Workitem } from '../api/types';

export interface Selection {
  selected: Workitem | null;
  select: (item: Workitem) => void;
  move: (by: number) => void;
}

/**
 * The row that the keyboard works on. It follows its workitem when the list moves under it,
 * and stays at its place when the workitem leaves the list.
 */
export function useSelection(items: readonly Workitem[]): Selection {
  const [chosen, setChosen] = useState<{ id: string; index: number } | null>(null);
  const found = chosen === null ? -1 : items.findIndex((item) => item.id === chosen.id);
  const index = found >= 0 ? found : Math.min(chosen?.index ?? -1, items.length - 1);
  const selected = items[index] ?? null;

  const select = useCallback((item: Workitem) => setChosen({ id: item.id, index: items.indexOf(item) }), [items]);
  const move = useCallback(
    (by: number) => {
      const target = index < 0 ? 0 : Math.max(0, Math.min(items.length - 1, index + by));
      const item = items[target];
      if (item === undefined) return;
      setChosen({ id: item.id, index: target });
    },
    [items, index],
  );
  return { selected, select, move };
}
