import { Button } from 'antd';
import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useNavigate } from 'react-router';

import type { Preferences, WorklistLine } from '../api/types';
import { Empty, ProblemNotice } from '../design/Notice';
import { useShortcuts } from '../design/shortcuts';
import { useLanguage } from '../i18n/language';
import { useSession } from '../session/session';
import { useClaim, useRelease } from './actions';
import { AssignDialog } from './AssignDialog';
import type { FilterBarHandle } from './FilterBar';
import { beyondCount, narrowingsOf, STANDARD, TABS } from './filters';
import { type Range, useRowPatches, useWorklist } from './queries';
import { useSelection } from './selection';
import type { useList } from './useList';
import { useMarked } from './useMarked';
import type { RowActs } from './WorklistRow';
import { type TableHandle, WorklistTable } from './WorklistTable';

/** What the page around the list shows over it. */
export type PageDialog = 'help' | 'view' | 'edit';

/** So many exams of a list can be gone through one after the other. */
const GOES_ALONG = 500;
const START: Range = { first: 0, last: 0 };
const NO_COLUMNS: readonly string[] = [];

interface WorklistBodyProps {
  list: ReturnType<typeof useList>;
  preferences: Preferences | undefined;
  bar: RefObject<FilterBarHandle | null>;
  takeNext: () => void;
  onMore: (open: boolean) => void;
  onDialog: (dialog: PageDialog) => void;
}

/** The rows and what the keyboard does with them. What stands above is not drawn anew when rows come. */
export function WorklistBody({ list, preferences, bar, takeNext, onMore, onDialog }: WorklistBodyProps) {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const { data: session } = useSession();
  const dispatches = session?.roles.includes('dispatcher') === true;
  const { filters, change } = list;
  const [range, setRange] = useState(START);
  const { head, rows, failed } = useWorklist(filters, range);
  useRowPatches();
  const selection = useSelection(rows);
  const marks = useMarked(rows);
  const claim = useClaim();
  const release = useRelease();
  const [assigning, setAssigning] = useState(false);
  const table = useRef<TableHandle>(null);

  const open = (id: string): void => {
    // What stands in the list now goes along, for going from one exam to the next.
    const around = Array.from({ length: Math.min(rows.total, GOES_ALONG) }, (_, index) => rows.at(index)?.id);
    const ids = around.filter((one) => one !== undefined);
    void navigate(`/exams/${id}`, { state: { from: list.address, ids } });
  };
  const takeAndOpen = (item: WorklistLine): void =>
    claim.mutate(item, { onSuccess: (detail) => detail !== null && open(detail.id) });
  const acts = useLatest({
    select: selection.select,
    open: (item) => open(item.id),
    claim: takeAndOpen,
    mark: (index, item, upTo) => {
      marks.toggle(index, item, upTo);
      selection.select(index);
    },
  });

  const { selected, move } = selection;
  const withSelected = (act: (item: WorklistLine) => void) => (): boolean => {
    if (selected === null) return false;
    act(selected);
    return true;
  };
  const step = (by: number): void => {
    const tab = TABS[TABS.indexOf(filters.tab) + by];
    if (tab !== undefined) change({ tab });
  };
  const markHere = (upTo: boolean) => (): boolean => {
    if (!dispatches || selected === null || selection.index === null) return false;
    marks.toggle(selection.index, selected, upTo);
    if (!upTo) move(1);
    return true;
  };
  const screen = (): number => table.current?.pageSize() ?? 1;
  const toAssign = marks.items.length > 0 ? marks.items : selected === null ? [] : [selected];
  useShortcuts({
    ArrowDown: () => move(1),
    j: () => move(1),
    ArrowUp: () => move(-1),
    k: () => move(-1),
    PageDown: () => move(screen()),
    PageUp: () => move(-screen()),
    Home: () => selection.select(0),
    End: () => selection.select(rows.total - 1),
    '[': () => step(-1),
    ']': () => step(1),
    Enter: withSelected((item) => open(item.id)),
    c: withSelected(takeAndOpen),
    C: withSelected((item) => claim.mutate(item)),
    u: withSelected((item) => release.mutate(item)),
    n: takeNext,
    m: () => change({ whose: filters.whose === 'mine' ? 'all' : 'mine' }),
    v: () => onDialog('view'),
    f: () => onMore(true),
    x: markHere(false),
    X: markHere(true),
    a: () => {
      if (!dispatches || toAssign.length === 0) return false;
      setAssigning(true);
      return true;
    },
    '/': () => bar.current?.focusSearch(),
    r: () => void head.refetch(),
    Escape: () => {
      onMore(false);
      marks.clear();
      selection.clear();
    },
    '?': () => onDialog('help'),
    ...Object.fromEntries(
      list.views.slice(0, 9).map((view, place) => [String(place + 1), () => list.choose(view)] as const),
    ),
  });

  const total = `${rows.total}${beyondCount(filters.tab, filters, head.data?.counts_exact ?? true)}`;
  const nothing = head.isSuccess && !head.isPlaceholderData && rows.total === 0;
  return (
    <>
      {failed !== null && (
        <div className="worklist-problem">
          <ProblemNotice
            heading={head.data === undefined ? t('worklist.failed') : t('worklist.staleNotice')}
            error={failed}
            onRetry={() => void head.refetch()}
          />
        </div>
      )}
      {nothing ? (
        <div className="worklist-empty">
          <EmptyWorklist
            narrowed={narrowingsOf(filters).length > 0}
            onClear={() => change({ ...STANDARD, tab: filters.tab, sort: filters.sort })}
          />
        </div>
      ) : (
        <WorklistTable
          ref={table}
          rows={rows}
          listKey={list.key}
          loading={head.data === undefined && failed === null}
          old={head.isPlaceholderData}
          kept={preferences?.columns ?? NO_COLUMNS}
          sort={filters.sort}
          selection={selection}
          marked={dispatches ? marks.ids : null}
          claiming={claim.isPending ? claim.variables.id : null}
          me={session?.person.id ?? ''}
          acts={acts}
          onRange={setRange}
          onSort={(sort) => change({ sort })}
        />
      )}
      <footer className="worklist-foot">
        {marks.items.length > 0 && (
          <>
            <span>{t('worklist.markedCount', { n: marks.items.length })}</span>
            <Button size="small" type="primary" onClick={() => setAssigning(true)}>
              {t('assign.action')}
            </Button>
            <Button size="small" onClick={marks.clear}>
              {t('worklist.unmark')}
            </Button>
          </>
        )}
        <span className="toolbar-space" />
        <span aria-live="polite">
          {rows.total > 0 &&
            (selection.index === null
              ? t('worklist.total', { total })
              : t('worklist.position', { at: selection.index + 1, total }))}
        </span>
      </footer>
      {assigning && (
        <AssignDialog
          items={toAssign}
          onClose={() => {
            marks.clear();
            setAssigning(false);
          }}
        />
      )}
    </>
  );
}

/** The same functions for ever, which do what those of the last drawing do: rows are not drawn anew for them. */
function useLatest(acts: RowActs): RowActs {
  const latest = useRef(acts);
  useEffect(() => {
    latest.current = acts;
  });
  const select = useCallback<RowActs['select']>((index) => latest.current.select(index), []);
  const open = useCallback<RowActs['open']>((item) => latest.current.open(item), []);
  const claim = useCallback<RowActs['claim']>((item) => latest.current.claim(item), []);
  const mark = useCallback<RowActs['mark']>((index, item, upTo) => latest.current.mark(index, item, upTo), []);
  return useMemo(() => ({ select, open, claim, mark }), [select, open, claim, mark]);
}

function EmptyWorklist({ narrowed, onClear }: { narrowed: boolean; onClear: () => void }) {
  const { t } = useLanguage();
  if (!narrowed) return <Empty title={t('worklist.empty.title')} text={t('worklist.empty.text')} />;
  return (
    <Empty
      title={t('worklist.emptyFilter.title')}
      text={t('worklist.emptyFilter.text')}
      action={
        <button type="button" className="link-button" onClick={onClear}>
          {t('app.clearFilters')}
        </button>
      }
    />
  );
}
