import { useCallback, useEffect, useMemo } from 'react';
import { useSearchParams } from 'react-router';

import type { Preferences, SavedView } from '../api/types';
import { useSetback } from '../design/useRefusal';
import { type Filters, filtersFrom, filtersOf, parametersFrom, questionOf, sameFilters, type Tab } from './filters';
import { useChangeView, usePrefer, useViews } from './queries';
import { NOTHING_ASKED } from './ViewDialog';
import type { ViewAct } from './ViewTabs';

const VIEW = 'view';
/** Stands in the address where somebody left the view that he begins with. */
const NO_VIEW = 'none';
const NO_VIEWS: readonly SavedView[] = [];

/** What the list asks: it is the address, a kept view, or the view that this person begins with. */
export function useList(preferences: Preferences | undefined) {
  const failed = useSetback();
  const [parameters, setParameters] = useSearchParams();
  const address = parameters.toString();
  const first = preferences?.default_view ?? null;
  const views = useViews().data ?? NO_VIEWS;
  const changeView = useChangeView();
  const prefer = usePrefer();
  const filters = useMemo(() => filtersFrom(new URLSearchParams(address)), [address]);
  const key = useMemo(() => parametersFrom(filters).toString(), [filters]);
  const active = views.find((view) => view.id === parameters.get(VIEW)) ?? null;
  const changed = active !== null && !sameFilters(filtersOf(active.filter), filters);

  const go = useCallback(
    (wanted: Filters, view: string | null, replace = true) => {
      const next = parametersFrom(wanted);
      if (view !== null) next.set(VIEW, view);
      setParameters(next, { replace });
    },
    [setParameters],
  );
  const change = useCallback(
    (part: Partial<Filters>) =>
      setParameters(
        (old) => {
          const next = parametersFrom({ ...filtersFrom(old), ...part });
          const view = old.get(VIEW) ?? (first === null ? null : NO_VIEW);
          if (view !== null) next.set(VIEW, view);
          return next;
        },
        { replace: true },
      ),
    [setParameters, first],
  );
  const choose = (view: SavedView): void => go(filtersOf(view.filter), view.id, false);

  // Who comes without a wish begins with the view he begins with.
  const begins = address === '' ? views.find((view) => view.id === first) : undefined;
  useEffect(() => {
    if (begins !== undefined) go(filtersOf(begins.filter), begins.id);
  }, [begins, go]);

  const act = (what: Exclude<ViewAct, 'edit'>, view: SavedView): void => {
    if (what === 'default') {
      const wanted = view.id === first ? null : view.id;
      prefer.mutate({ default_view: wanted, columns: preferences?.columns ?? [] }, { onError: failed });
    } else if (what === 'remove') {
      changeView.mutate({ id: view.id, body: null }, { onError: failed, onSuccess: () => go(filters, NO_VIEW) });
    } else {
      const body = {
        name: view.name,
        filter: { ...NOTHING_ASKED, ...questionOf(filters) },
        position: view.position,
        shared: view.shared,
        group: view.group?.code ?? null,
      };
      changeView.mutate({ id: view.id, body }, { onError: failed });
    }
  };
  return {
    filters,
    /** Names what is asked: another list has another one. */
    key,
    address: `/worklist?${address}`,
    views,
    active,
    changed,
    change,
    choose,
    act,
    chooseTab: (tab: Tab): void => {
      // Away from a view its narrowing goes too; the word keeps the beginning view from coming back.
      if (active === null) change({ tab });
      else go({ ...filtersFrom(new URLSearchParams()), tab }, NO_VIEW);
    },
    kept: (all: readonly SavedView[], name: string): void => {
      const view = all.find((one) => one.name === name);
      if (view !== undefined) go(filters, view.id);
    },
  };
}
