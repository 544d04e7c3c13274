import { useCallback, useEffect, useMemo, useState } from 'react';

import { type Columns, divide, type Wanted } from './columns';

const KEY = 'rdc.reading-layout';
const WANTED: Wanted = { panel: 340, report: 480 };

interface Kept extends Wanted {
  open: string | null;
  folded: boolean;
}

function kept(): Kept {
  const text = localStorage.getItem(KEY);
  const value: unknown = text === null ? null : JSON.parse(text);
  const old: Partial<Record<keyof Kept, unknown>> = typeof value === 'object' && value !== null ? value : {};
  return {
    panel: typeof old.panel === 'number' ? old.panel : WANTED.panel,
    report: typeof old.report === 'number' ? old.report : WANTED.report,
    open: typeof old.open === 'string' ? old.open : null,
    folded: old.folded === true,
  };
}

export interface Layout {
  columns: Columns;
  /** The id of the open panel. */
  open: string | null;
  folded: boolean;
  setPanelWidth: (width: number) => void;
  setReportWidth: (width: number) => void;
  keep: () => void;
  toggle: (panel: string) => void;
  close: () => void;
  fold: (folded: boolean) => void;
}

/** A width that was dragged past what there is room for counts as what it became. */
function settled(old: Kept, columns: Columns): Wanted {
  return {
    panel: columns.panel > 0 && columns.report > 0 ? columns.panel : old.panel,
    report: columns.report > 0 ? columns.report : old.report,
  };
}

/** The columns of the reading page as somebody arranged them, kept in this browser from one exam to the next. */
export function useLayout(room: number, viewerElsewhere: boolean): Layout {
  const [state, setState] = useState(kept);
  const { open, folded, panel, report } = state;
  const columns = useMemo(
    () => divide(room, { panel, report }, { viewerElsewhere, panelOpen: open !== null, reportFolded: folded }),
    [room, panel, report, viewerElsewhere, open, folded],
  );
  useEffect(() => {
    localStorage.setItem(KEY, JSON.stringify(state));
  }, [state]);

  const fold = useCallback((value: boolean) => setState((old) => ({ ...old, folded: value })), []);
  return {
    columns,
    open,
    folded,
    setPanelWidth: (width) => setState((old) => ({ ...old, panel: width })),
    setReportWidth: (width) => setState((old) => ({ ...old, report: width })),
    keep: () => setState((old) => ({ ...old, ...settled(old, columns) })),
    toggle: (id) => setState((old) => ({ ...old, open: old.open === id ? null : id })),
    close: () => setState((old) => ({ ...old, open: null })),
    fold,
  };
}

/** The width of what `measure` is the ref of, as it changes. */
export function useRoom(): [room: number, measure: (element: HTMLElement | null) => (() => void) | undefined] {
  const [room, setRoom] = useState(innerWidth);
  const measure = useCallback((element: HTMLElement | null) => {
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setRoom(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [room, measure];
}
