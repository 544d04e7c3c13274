import { App as AntApp, ConfigProvider } from 'antd';
import { Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { Navigate, useSearchParams } from 'react-router';

import { LiveUpdates } from '../app/LiveUpdates';
import { Loading } from '../app/Loading';
import { useAppearance } from '../design/appearance';
import { ModalityMark } from '../design/Chip';
import { useMinute } from '../design/clock';
import { csp } from '../design/nonce';
import { ProblemNotice } from '../design/Notice';
import { lazyPart } from '../design/Part';
import { PatientName, SexAge } from '../design/PatientName';
import { themeFor } from '../design/theme';
import { formatStudyTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useSession } from '../session/session';
import { IdentityBanner } from './IdentityBanner';
import { markOnKey, useImageAnswers } from './keyImages/imageLink';
import { useWorkitem } from './queries';
import { ASK_EVERY, channelOf, type FromPage, type FromViewer, keepPlace, LOST_AFTER, type Wanted } from './viewerLink';
import './reading.css';
import './report.css';

const EcgPane = lazyPart(async () => (await import('../ecg/EcgPane')).EcgPane);

const SAY_ACTIVE_EVERY = 10_000;

/** The viewer in a window of its own: it shows what its page shows, and always says whose images these are. */
export function ViewingPage() {
  const { appearance, palette } = useAppearance();
  const theme = useMemo(() => themeFor(appearance, palette), [appearance, palette]);
  const session = useSession();
  const [parameters] = useSearchParams();
  if (session.isPending) return <Loading />;
  if (session.isError) return <ProblemNotice error={session.error} onRetry={() => void session.refetch()} />;
  if (session.data === null) return <Navigate to="/sign-in" replace />;
  return (
    <ConfigProvider csp={csp} theme={theme}>
      <AntApp className="viewing-app">
        <LiveUpdates />
        <Viewing key={session.data.organisation.id} token={parameters.get('with') ?? ''} />
      </AntApp>
    </ConfigProvider>
  );
}

function Viewing({ token }: { token: string }) {
  const { t } = useLanguage();
  useImageAnswers(token);
  const { wanted, lost, say } = useLink(token);
  return (
    <main className="viewing">
      {lost && (
        <p className="viewing-warning" role="alert">
          {t('viewing.lost')}
        </p>
      )}
      {wanted === null ? (
        <div className="viewing-idle">
          <h1>{t('viewing.title')}</h1>
          <p>{t('viewing.idle')}</p>
        </div>
      ) : (
        <Exam key={wanted.id} wanted={wanted} say={say} onKey={markOnKey(token)} />
      )}
    </main>
  );
}

function Exam({
  wanted,
  say,
  onKey,
}: {
  wanted: Wanted;
  say: (message: FromViewer) => void;
  onKey: (event: KeyboardEvent) => void;
}) {
  const { t, language } = useLanguage();
  const now = useMinute();
  const workitem = useWorkitem(wanted.id);
  const item = workitem.data;
  // What this window itself loaded, not what it was told: only so can the page see that both are one.
  const patientId = item?.patient.id ?? null;
  useEffect(() => {
    say({ from: 'viewer', says: 'showing', shown: patientId === null ? null : { id: wanted.id, patientId } });
  }, [say, patientId, wanted.id]);
  useEffect(() => {
    if (item !== undefined) document.title = `${item.patient.name} · ${t('viewing.title')}`;
  }, [item, t]);
  const active = useRef(0);
  const noteActivity = (): void => {
    if (Date.now() - active.current < SAY_ACTIVE_EVERY) return;
    active.current = Date.now();
    say({ from: 'viewer', says: 'active' });
  };
  if (workitem.isError && item === undefined) {
    return (
      <div className="viewing-idle">
        <h1>{t('viewing.title')}</h1>
        <ProblemNotice error={workitem.error} onRetry={() => void workitem.refetch()} />
      </div>
    );
  }
  if (item === undefined) return <Loading />;
  const other = patientId !== wanted.patientId;
  return (
    <>
      <header className="viewing-head">
        <h1 className="reading-patient">
          <PatientName patient={item.patient} />
        </h1>
        <SexAge patient={item.patient} />
        <span>
          {t('patient.id')} <strong>{item.patient.local_id ?? t('app.none')}</strong>
        </span>
        <span>{siteName(language, item.site)}</span>
        <ModalityMark lane={item.lane} modalities={item.study.modalities} />
        <span className="reading-description">{item.study.description ?? t('worklist.noDescription')}</span>
        <span>{formatStudyTime(item.study.study_date, item.study.study_time, now)}</span>
        {wanted.beside !== null && <span className="viewing-beside">{wanted.beside}</span>}
      </header>
      {other && (
        <p className="viewing-warning" role="alert">
          {t('viewing.otherPatient')}
        </p>
      )}
      <IdentityBanner id={item.id} />
      {item.lane === 'ecg' ? (
        <div className="viewing-ecg" onPointerDown={noteActivity} onWheel={noteActivity} onKeyDown={noteActivity}>
          <Suspense fallback={<Loading />}>
            <EcgPane id={item.id} />
          </Suspense>
        </div>
      ) : (
        <div className="viewer">
          <iframe
            title={t('reading.viewer')}
            src={wanted.url}
            allow="fullscreen"
            onLoad={(event) => {
              const inside = event.currentTarget.contentWindow;
              for (const sign of ['pointerdown', 'keydown', 'wheel'] as const)
                inside?.addEventListener(sign, noteActivity, { passive: true });
              inside?.addEventListener('keydown', onKey);
            }}
          />
        </div>
      )}
    </>
  );
}

/** The line to the page that opened this window: what it wants shown, and whether it still answers. */
function useLink(token: string): { wanted: Wanted | null; lost: boolean; say: (message: FromViewer) => void } {
  const [wanted, setWanted] = useState<Wanted | null>(null);
  const [lost, setLost] = useState(false);
  const [link] = useState(() => {
    let channel: BroadcastChannel | null = null;
    return {
      open: (): BroadcastChannel => (channel = channelOf(token)),
      close: (): void => channel?.close(),
      say: (message: FromViewer): void => channel?.postMessage(message),
    };
  });
  useEffect(() => {
    const channel = link.open();
    let heardAt = Date.now();
    channel.addEventListener('message', ({ data }: MessageEvent<FromPage | FromViewer>) => {
      if (data.from !== 'page') return;
      heardAt = Date.now();
      setLost(false);
      const next = data.wanted;
      // The same again is no reason to load the images anew.
      setWanted((old) => (JSON.stringify(old) === JSON.stringify(next) ? old : next));
      if (next === null) link.say({ from: 'viewer', says: 'showing', shown: null });
    });
    const ask = (): void => {
      link.say({ from: 'viewer', says: 'hello' });
      setLost(Date.now() - heardAt > LOST_AFTER);
      keepPlace();
    };
    ask();
    const timer = setInterval(ask, ASK_EVERY);
    const onHide = (): void => {
      keepPlace();
      link.say({ from: 'viewer', says: 'bye' });
    };
    addEventListener('pagehide', onHide);
    return () => {
      clearInterval(timer);
      removeEventListener('pagehide', onHide);
      link.close();
    };
  }, [link]);
  return { wanted, lost, say: link.say };
}
