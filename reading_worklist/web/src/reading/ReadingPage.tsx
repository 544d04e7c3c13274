import { Skeleton } from 'antd';
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
import { PANELS } from './panels';
import { useWorkitem } from './queries';
import { ReadingHeader } from './ReadingHeader';
import { ReportPanel } from './ReportPanel';
import { useSecondWindow, ViewerPane } from './ViewerPane';
import { Workplace } from './Workplace';
import './reading.css';

const EcgPane = lazy(async () => ({ default: (await import('../ecg/EcgPane')).EcgPane }));

const HELP: readonly HelpLine[] = [
  [['Ctrl', 'S'], 'keys.save'],
  [['Ctrl', 'Enter'], 'keys.sign'],
  [['Alt', '1–3'], 'keys.fields'],
  [['Alt', 'V'], 'keys.viewer'],
  ...PANELS.map((panel): HelpLine => [['Alt', panel.key.toUpperCase()], panel.name]),
  [['Alt', 'Z'], 'panel.fold'],
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
      <Workplace
        item={item}
        viewerElsewhere={second.isOpen}
        viewer={
          item.lane === 'ecg' ? (
            <Suspense fallback={<Loading />}>
              <EcgPane id={item.id} />
            </Suspense>
          ) : (
            <ViewerPane item={item} second={second} onActivity={noteActivity} />
          )
        }
        report={<ReportPanel item={item} />}
      />
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
