import { QuestionCircleOutlined, StepForwardOutlined } from '@ant-design/icons';
import { Button, Tooltip } from 'antd';
import { useRef, useState } from 'react';
import { useNavigate } from 'react-router';

import { type HelpLine, ShortcutHelp } from '../design/ShortcutHelp';
import { useLanguage } from '../i18n/language';
import { useSession } from '../session/session';
import { useNext } from './actions';
import { ColumnChooser } from './ColumnChooser';
import { DutyButton } from './DutyButton';
import { FilterBar, type FilterBarHandle } from './FilterBar';
import { FilterChips } from './FilterChips';
import { questionOf } from './filters';
import { useHead, usePrefer, usePreferences, useReadingGroups, useSites } from './queries';
import { StateTabs } from './StateTabs';
import { useList } from './useList';
import { ViewDialog } from './ViewDialog';
import { ViewTabs } from './ViewTabs';
import { type PageDialog, WorklistBody } from './WorklistBody';
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
const NO_COLUMNS: readonly string[] = [];

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
  const head = useHead(filters);
  const sites = useSites();
  const groups = useReadingGroups();
  const next = useNext();
  const [dialog, setDialog] = useState<PageDialog | null>(null);
  const [moreOpen, setMoreOpen] = useState(false);
  const bar = useRef<FilterBarHandle>(null);

  const takeNext = (): void => {
    if (!writes || next.isPending) return;
    const ids = head.data?.items.map((item) => item.id) ?? [];
    next.mutate(filters.lane, {
      onSuccess: ({ id }) => void navigate(`/exams/${id}`, { state: { from: list.address, ids } }),
    });
  };
  const close = (): void => setDialog(null);
  return (
    <div className="worklist">
      <h1 className="visually-hidden">{t('worklist.title')}</h1>
      <div className="toolbar">
        <StateTabs
          active={list.active === null ? filters.tab : null}
          counts={head.data?.counts}
          exact={head.data?.counts_exact ?? true}
          filters={filters}
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
      <WorklistBody
        list={list}
        preferences={preferences.data}
        bar={bar}
        takeNext={takeNext}
        onMore={setMoreOpen}
        onDialog={setDialog}
      />
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
    </div>
  );
}
