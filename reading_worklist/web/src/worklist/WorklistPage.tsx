import { useCallback, useMemo, useRef, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';

import type { Workitem } from '../api/types';
import { Empty, ProblemNotice } from '../design/Notice';
import { Pager } from '../design/Pager';
import { type HelpLine, ShortcutHelp } from '../design/ShortcutHelp';
import { type Shortcuts, useShortcuts } from '../design/shortcuts';
import { useLanguage } from '../i18n/language';
import { useClaim } from './claim';
import { type Filters, filtersFrom, isNarrowed, parametersFrom } from './filters';
import { Overdue } from './Overdue';
import { PAGE_SIZE, useSites, useWorklist } from './queries';
import { Toolbar, type ToolbarHandle } from './Toolbar';
import { useSelection } from './selection';
import { WorklistTable } from './WorklistTable';
import './worklist.css';

const HELP: readonly HelpLine[] = [
  [['↑', '↓', 'j', 'k'], 'keys.move'],
  [['[', ']'], 'keys.page'],
  [['Enter'], 'keys.open'],
  [['c'], 'keys.claim'],
  [['/'], 'keys.search'],
  [['r'], 'keys.refresh'],
  [['?'], 'keys.help'],
];

const NOTHING: readonly Workitem[] = [];

/** The queue of the centre: images and ECGs together, the most urgent first. */
export function WorklistPage() {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const [parameters, setParameters] = useSearchParams();
  const filters = useMemo(() => filtersFrom(parameters), [parameters]);
  const worklist = useWorklist(filters);
  const sites = useSites();
  const items = worklist.data?.items ?? NOTHING;
  const selection = useSelection(items);
  const claim = useClaim();
  const [helpOpen, setHelpOpen] = useState(false);
  const toolbar = useRef<ToolbarHandle>(null);

  const change = useCallback(
    (part: Partial<Filters>) => {
      // Another view starts at its first page, unless the page is what was asked for.
      setParameters((old) => parametersFrom({ ...filtersFrom(old), page: 1, ...part }), { replace: true });
    },
    [setParameters],
  );
  const open = useCallback(
    (item: Workitem) => void navigate(`/exams/${item.id}`, { state: { from: `/worklist?${parameters.toString()}` } }),
    [navigate, parameters],
  );
  const claimAndOpen = useCallback(
    (item: Workitem) => {
      claim.mutate(item, { onSuccess: () => open(item) });
    },
    [claim, open],
  );

  const total = worklist.data?.total ?? 0;
  const pages = Math.max(1, Math.ceil(total / PAGE_SIZE));
  const { selected, move } = selection;
  const shortcuts: Shortcuts = {
    ArrowDown: () => move(1),
    j: () => move(1),
    ArrowUp: () => move(-1),
    k: () => move(-1),
    Home: () => move(-items.length),
    End: () => move(items.length),
    '[': () => change({ page: Math.max(1, filters.page - 1) }),
    ']': () => change({ page: Math.min(pages, filters.page + 1) }),
    Enter: () => {
      if (selected === null) return false;
      open(selected);
      return true;
    },
    c: () => {
      if (selected !== null) claimAndOpen(selected);
    },
    '/': () => toolbar.current?.focusSearch(),
    r: () => void worklist.refetch(),
    '?': () => setHelpOpen(true),
  };
  useShortcuts(shortcuts);

  const nothing = worklist.isSuccess && items.length === 0;
  return (
    <div className="worklist">
      <h1 className="visually-hidden">{t('worklist.title')}</h1>
      <Toolbar
        ref={toolbar}
        filters={filters}
        counts={worklist.data?.counts}
        sites={sites}
        refreshing={worklist.isFetching}
        onChange={change}
        onRefresh={() => void worklist.refetch()}
        onHelp={() => setHelpOpen(true)}
      />
      {worklist.isError && (
        <div className="worklist-problem">
          <ProblemNotice
            heading={worklist.data === undefined ? t('worklist.failed') : t('worklist.staleNotice')}
            error={worklist.error}
            onRetry={() => void worklist.refetch()}
          />
        </div>
      )}
      {nothing ? (
        <div className="worklist-empty">
          <EmptyWorklist
            narrowed={isNarrowed(filters)}
            onClear={() => change({ lane: null, site: null, text: '', mine: false })}
          />
        </div>
      ) : (
        <WorklistTable
          items={worklist.data === undefined ? null : items}
          failed={worklist.isError && worklist.data === undefined}
          old={worklist.isPlaceholderData}
          selection={selection}
          claiming={claim.isPending ? claim.variables.id : null}
          onOpen={open}
          onClaim={claimAndOpen}
        />
      )}
      <Pager page={filters.page} pageSize={PAGE_SIZE} total={total} onPage={(page) => change({ page })}>
        <Overdue items={items} />
      </Pager>
      <ShortcutHelp open={helpOpen} lines={HELP} onClose={() => setHelpOpen(false)} />
    </div>
  );
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
