import { Skeleton, Splitter } from 'antd';
import { lazy, Suspense, useState } from 'react';
import { useLocation, useNavigate, useParams } from 'react-router';

import { Loading } from '../app/Loading';
import type { WorkitemDetail } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { type HelpLine, ShortcutHelp } from '../design/ShortcutHelp';
import { useShortcuts } from '../design/shortcuts';
import { useLanguage } from '../i18n/language';
import { IdentityBanner } from './IdentityBanner';
import { useLeaseRenewal } from './lease';
import { useWorkitem } from './queries';
import { ReadingHeader } from './ReadingHeader';
import { ReportPanel } from './ReportPanel';
import { useSecondWindow, ViewerPane } from './ViewerPane';
import './reading.css';

const EcgPane = lazy(async () => ({ default: (await import('../ecg/EcgPane')).EcgPane }));

const PANEL_WIDTH_KEY = 'rdc.report-panel-width';
const PANEL_WIDTH = 480;
const PANEL_WIDTH_NARROW = 400;
const NARROW = 1200;

const HELP: readonly HelpLine[] = [
  [['Ctrl', 'S'], 'keys.save'],
  [['Ctrl', 'Enter'], 'keys.sign'],
  [['Alt', '1–3'], 'keys.fields'],
  [['Alt', 'V'], 'keys.viewer'],
  [['Alt', 'Q'], 'keys.quality'],
  [['Alt', 'W'], 'keys.back'],
  [['?'], 'keys.help'],
];

const ECG_HELP: readonly HelpLine[] = [...HELP, [['←', '→', '↑', '↓'], 'keys.caliper'], [['Esc'], 'keys.caliperClear']];

/** One exam: what is read on the left, what is written about it on the right. */
export function ReadingPage() {
  const { id = '' } = useParams();
  const { t } = useLanguage();
  const workitem = useWorkitem(id);
  if (workitem.data !== undefined) return <Reading key={id} item={workitem.data} />;
  if (workitem.isError) {
    return (
      <div className="reading-failed">
        <h1 className="visually-hidden">{t('reading.failed')}</h1>
        <ProblemNotice error={workitem.error} onRetry={() => void workitem.refetch()} />
      </div>
    );
  }
  return (
    <div className="reading-loading" aria-busy="true">
      <Skeleton active title={{ width: '40%' }} paragraph={{ rows: 1, width: '70%' }} />
    </div>
  );
}

function Reading({ item }: { item: WorkitemDetail }) {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const from = useOrigin();
  const [helpOpen, setHelpOpen] = useState(false);
  const [initialWidth] = useState(initialPanelWidth);
  const second = useSecondWindow(item.viewer_url);
  const noteActivity = useLeaseRenewal(item);

  const back = (): void => void navigate(from);
  useShortcuts({
    'alt+w': back,
    'alt+v': () => {
      if (item.lane === 'ecg') return false;
      second.open();
      return true;
    },
    '?': () => setHelpOpen(true),
  });

  return (
    <div className="reading">
      <ReadingHeader
        item={item}
        onBack={back}
        onHelp={() => setHelpOpen(true)}
        {...(item.lane === 'imaging' ? { onSecondWindow: second.open } : {})}
      />
      <IdentityBanner id={item.id} />
      <Splitter className="reading-split" onResizeEnd={([, width]) => keepPanelWidth(width)}>
        <Splitter.Panel min={360}>
          {item.lane === 'ecg' ? (
            <Suspense fallback={<Loading />}>
              <EcgPane id={item.id} />
            </Suspense>
          ) : (
            <ViewerPane item={item} second={second} onActivity={noteActivity} />
          )}
        </Splitter.Panel>
        <Splitter.Panel defaultSize={initialWidth} min={340} max="70%">
          <ReportPanel item={item} />
        </Splitter.Panel>
      </Splitter>
      <ShortcutHelp
        open={helpOpen}
        lines={item.lane === 'ecg' ? ECG_HELP : HELP}
        {...(item.lane === 'ecg' ? {} : { note: t('keys.inViewer') })}
        onClose={() => setHelpOpen(false)}
      />
    </div>
  );
}

function useOrigin(): string {
  const { state } = useLocation() as { state: unknown };
  const from = typeof state === 'object' && state !== null && 'from' in state ? state.from : null;
  return typeof from === 'string' ? from : '/worklist';
}

function initialPanelWidth(): number {
  const kept = Number(localStorage.getItem(PANEL_WIDTH_KEY));
  return kept > 0 ? Math.min(kept, innerWidth * 0.6) : innerWidth < NARROW ? PANEL_WIDTH_NARROW : PANEL_WIDTH;
}

function keepPanelWidth(width: number | undefined): void {
  if (width !== undefined) localStorage.setItem(PANEL_WIDTH_KEY, String(Math.round(width)));
}
