import { QuestionCircleOutlined, StepForwardOutlined } from '@ant-design/icons';
import { Button, Tooltip } from 'antd';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useNavigate } from 'react-router';

import type { WorklistLine } from '../api/types';
import { Empty, ProblemNotice } from '../design/Notice';
import { type HelpLine, ShortcutHelp } from '../design/ShortcutHelp';
import { useShortcuts } from '../design/shortcuts';
import { useLanguage } from '../i18n/language';
import { useSession } from '../session/session';
import { useClaim, useNext, useRelease } from './actions';
import { AssignDialog } from './AssignDialog';
import { ColumnChooser } from './ColumnChooser';
import { DutyButton } from './DutyButton';
import { FilterBar, type FilterBarHandle } from './FilterBar';
import { FilterChips } from './FilterChips';
import { narrowingsOf, questionOf, STANDARD, TABS } from './filters';
import {
  CHUNK,
  type Range,
  usePrefer,
  usePreferences,
  useReadingGroups,
  useRowPatches,
  useSites,
  useWorklist,
} from './queries';
import { useSelection } from './selection';
import { StateTabs } from './StateTabs';
import { useList } from './useList';
import { useMarked } from './useMarked';
import { ViewDialog } from './ViewDialog';
import { ViewTabs } from './ViewTabs';
import type { RowActs } from './WorklistRow';
import { type TableHandle, WorklistTable } from './WorklistTable';
import './worklist.css';

const HELP: readonly HelpLine[] = [
  [['↑', '↓', 'j', 'k'], 'keys.move'],
  [['PgUp', 'PgDn'], 'keys.screen'],
  [['Home', 'End'], 'keys.ends'],
  [['[', ']'], 'keys.tab'],
  [['1', '…', '9'], 'keys.view'],
  [['v'], 'keys.saveView'],
  [['Enter'], 'keys.open'],
  [['c'], 'keys.claim'],
  [['C'], 'keys.claimStay'],
  [['u'], 'keys.release'],
  [['n'], 'keys.next'],
  [['m'], 'keys.mine'],
  [['f'], 'keys.filters'],
  [['/'], 'keys.search'],
  [['r'], 'keys.refresh'],
  [['Esc'], 'keys.leave'],
  [['?'], 'keys.help'],
];
const DISPATCHER_HELP: readonly HelpLine[] = [
  [['x'], 'keys.mark'],
  [['X'], 'keys.markUpTo'],
  [['a'], 'keys.assign'],
];

const SHARERS = ['reviewer', 'dispatcher', 'quality_controller', 'consortium_admin'];
/** So many exams of a list can be gone through one after the other. */
const GOES_ALONG = 500;
const START: Range = { first: 0, last: CHUNK - 1 };

/** The queue of the centre: images and ECGs together, the most urgent first. */
export function WorklistPage() {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const { data: session } = useSession();
  const dispatches = session?.roles.includes('dispatcher') === true;
  const writes = session?.roles.some((role) => role === 'writer' || role === 'reviewer') === true;
  const preferences = usePreferences();
  const prefer = usePrefer();
  const list = useList(preferences.data);
  const { filters, change } = list;
  const [range, setRange] = useState(START);
  const { head, rows, failed } = useWorklist(filters, range);
  useRowPatches();
  const sites = useSites();
  const groups = useReadingGroups();
  const selection = useSelection(rows);
  const marks = useMarked(rows);
  const claim = useClaim();
  const release = useRelease();
  const next = useNext();
  const [dialog, setDialog] = useState<'help' | 'view' | 'edit' | 'assign' | null>(null);
  const [moreOpen, setMoreOpen] = useState(false);
  const bar = useRef<FilterBarHandle>(null);
  const table = useRef<TableHandle>(null);

  const open = (id: string): void => {
    // What stands in the list now goes along, for going from one exam to the next.
    const around = Array.from({ length: Math.min(rows.total, GOES_ALONG) }, (_, index) => rows.at(index)?.id);
    const ids = around.filter((one) => one !== undefined);
    void navigate(`/exams/${id}`, { state: { from: list.address, ids } });
  };
  const takeAndOpen = (item: WorklistLine): void =>
    claim.mutate(item, { onSuccess: (detail) => detail !== null && open(detail.id) });
  const takeNext = (): void => {
    if (!writes || next.isPending) return;
    next.mutate(filters.lane, { onSuccess: (detail) => open(detail.id) });
  };
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
    v: () => setDialog('view'),
    f: () => setMoreOpen(true),
    x: markHere(false),
    X: markHere(true),
    a: () => {
      if (!dispatches || toAssign.length === 0) return false;
      setDialog('assign');
      return true;
    },
    '/': () => bar.current?.focusSearch(),
    r: () => void head.refetch(),
    Escape: () => {
      setMoreOpen(false);
      marks.clear();
      selection.clear();
    },
    '?': () => setDialog('help'),
    ...Object.fromEntries(
      list.views.slice(0, 9).map((view, place) => [String(place + 1), () => list.choose(view)] as const),
    ),
  });

  const nothing = head.isSuccess && !head.isPlaceholderData && rows.total === 0;
  const close = (): void => setDialog(null);
  return (
    <div className="worklist">
      <h1 className="visually-hidden">{t('worklist.title')}</h1>
      <div className="toolbar">
        <StateTabs
          active={list.active === null ? filters.tab : null}
          counts={head.data?.counts}
          exact={head.data?.counts_exact ?? true}
          onChoose={list.chooseTab}
        />
        <ViewTabs
          views={list.views}
          active={list.active?.id ?? null}
          changed={list.changed}
          defaultView={preferences.data?.default_view ?? null}
          onChoose={list.choose}
          onAct={(act, view) => {
            if (act === 'edit') setDialog('edit');
            else list.act(act, view);
          }}
        />
        <FilterBar
          ref={bar}
          filters={filters}
          sites={sites}
          groups={groups}
          refreshing={head.isFetching}
          moreOpen={moreOpen}
          onMoreOpen={setMoreOpen}
          onChange={change}
          onRefresh={() => void head.refetch()}
        >
          {writes && <DutyButton person={session.person.id} />}
          <ColumnChooser
            kept={preferences.data?.columns ?? NO_COLUMNS}
            onChange={(columns) => prefer.mutate({ default_view: preferences.data?.default_view ?? null, columns })}
          />
          <Tooltip title={t('keys.title')}>
            <Button aria-label={t('keys.title')} icon={<QuestionCircleOutlined />} onClick={() => setDialog('help')} />
          </Tooltip>
          {writes && (
            <Button type="primary" icon={<StepForwardOutlined />} loading={next.isPending} onClick={takeNext}>
              {t('worklist.next')}
            </Button>
          )}
        </FilterBar>
        <FilterChips
          filters={filters}
          sites={sites}
          groups={groups}
          onChange={change}
          onSave={() => setDialog('view')}
        />
      </div>
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
          kept={preferences.data?.columns ?? NO_COLUMNS}
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
            <Button size="small" type="primary" onClick={() => setDialog('assign')}>
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
              ? t('worklist.total', { total: rows.total })
              : t('worklist.position', { at: selection.index + 1, total: rows.total }))}
        </span>
      </footer>
      <ShortcutHelp
        open={dialog === 'help'}
        lines={dispatches ? [...HELP, ...DISPATCHER_HELP] : HELP}
        onClose={close}
      />
      {(dialog === 'view' || (dialog === 'edit' && list.active !== null)) && (
        <ViewDialog
          view={dialog === 'edit' ? list.active : null}
          question={questionOf(filters)}
          position={list.views.length}
          groups={groups}
          mayShare={session?.roles.some((role) => SHARERS.includes(role)) === true}
          onKept={list.kept}
          onClose={close}
        />
      )}
      {dialog === 'assign' && (
        <AssignDialog
          items={toAssign}
          onClose={() => {
            marks.clear();
            close();
          }}
        />
      )}
    </div>
  );
}

const NO_COLUMNS: readonly string[] = [];

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
