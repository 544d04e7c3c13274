import { App, Button, Skeleton } from 'antd';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router';

import type { WorkitemDetail } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { Part } from '../design/Part';
import { ECG_KEYS_HELP } from '../ecg/keys';
import { type HelpLine, ShortcutHelp } from '../design/ShortcutHelp';
import { useShortcuts } from '../design/shortcuts';
import { useLanguage } from '../i18n/language';
import { useComparison } from '../priors/comparison';
import { IdentityBanner } from './IdentityBanner';
import { useLeaseRenewal } from './lease';
import { useNeighbours, useOrigin, useTakeNext } from './neighbours';
import { PANELS } from './panels';
import { useWorkitem } from './queries';
import { ReadingHeader } from './ReadingHeader';
import { ReportPanel } from './ReportPanel';
import { useSecondWindow } from './secondWindow';
import { useBesideWords, ViewerPane } from './ViewerPane';
import { Workplace } from './Workplace';
import './reading.css';
import './report.css';

const HELP: readonly HelpLine[] = [
  [['Ctrl', 'S'], 'keys.save'],
  [['Ctrl', 'Enter'], 'keys.sign'],
  [['Alt', '1–4'], 'keys.fields'],
  [['Alt', 'A'], 'keys.templates'],
  [['Alt', 'L'], 'keys.lastNormal'],
  [['Alt', 'G'], 'keys.nextPlace'],
  [['Alt', 'X'], 'keys.nextFinding'],
  [['Alt', 'V'], 'keys.viewer'],
  [['Alt', 'S'], 'keyImages.markKey'],
  ...PANELS.map((panel): HelpLine => [['Alt', panel.key.toUpperCase()], panel.name]),
  [['Alt', 'Z'], 'panel.fold'],
  [['Alt', 'N'], 'next.take'],
  [['Alt', 'J'], 'next.nextInList'],
  [['Alt', 'K'], 'next.previousInList'],
  [['Alt', 'W'], 'keys.back'],
  [['?'], 'keys.help'],
];

const ECG_HELP: readonly HelpLine[] = [...HELP, [['Alt', 'Y'], 'keys.statements'], ...ECG_KEYS_HELP];

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
  const { message } = App.useApp();
  const navigate = useNavigate();
  const { from } = useOrigin();
  const [helpOpen, setHelpOpen] = useState(false);
  const lease = useLeaseRenewal(item);
  const comparison = useComparison(item.id);
  const beside = useBesideWords(comparison);
  const [second, seen] = useSecondWindow(
    { id: item.id, patientId: item.patient.id, url: comparison?.url ?? item.viewer_url, beside },
    lease.noteActivity,
  );
  const neighbours = useNeighbours(item.id);
  const next = useTakeNext(item);

  const back = (): void => void navigate(from);
  const openSecond = (): void => {
    if (!second.open()) void message.warning(t('reading.viewer.blocked'));
  };
  useShortcuts({
    'alt+w': back,
    'alt+v': openSecond,
    'alt+n': next.take,
    'alt+j': () => neighbours.next?.(),
    'alt+k': () => neighbours.previous?.(),
    '?': () => setHelpOpen(true),
  });

  return (
    <div className="reading">
      <ReadingHeader
        item={item}
        lease={lease}
        neighbours={neighbours}
        next={next}
        onBack={back}
        onHelp={() => setHelpOpen(true)}
        onSecondWindow={openSecond}
      />
      {seen.astray && (
        <p className="viewing-warning" role="alert">
          {t('viewing.astray')}{' '}
          <Button size="small" onClick={() => second.bringBack()}>
            {t('reading.viewer.bringBack')}
          </Button>
        </p>
      )}
      <IdentityBanner id={item.id} />
      {seen.isOpen && !seen.astray && (
        <p className="viewing-elsewhere">
          {t('reading.viewer.elsewhere')}{' '}
          <Button size="small" onClick={() => second.bringBack()}>
            {t('reading.viewer.bringBack')}
          </Button>
        </p>
      )}
      <Workplace
        item={item}
        viewerElsewhere={seen.isOpen}
        viewer={
          seen.isOpen ? null : (
            <Part>
              <ViewerPane item={item} comparison={comparison} onActivity={lease.noteActivity} />
            </Part>
          )
        }
        report={
          <Part>
            <ReportPanel item={item} />
          </Part>
        }
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
