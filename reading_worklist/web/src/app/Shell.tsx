import { App as AntApp, ConfigProvider } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import { Fragment, Suspense, useMemo } from 'react';
import { Navigate, Outlet, useLocation } from 'react-router';

import { CriticalAlert } from '../critical/CriticalAlert';
import { useAppearance } from '../design/appearance';
import { csp } from '../design/nonce';
import { ProblemNotice } from '../design/Notice';
import { lazyPart } from '../design/Part';
import { themeFor } from '../design/theme';
import { EmergencyAlert } from '../emergency/EmergencyAlert';
import { useLanguage } from '../i18n/language';
import { IdleWatch } from '../session/IdleWatch';
import { useChoiceOfOtherTabs, useSession, useSignInAddress } from '../session/session';
import { Header } from './Header';
import { LiveUpdates } from './LiveUpdates';
import { Loading } from './Loading';
import { OfflineBanner } from './OfflineBanner';
import { usePrepareExams } from './prepareExams';
import '../design/page.css';
import './shell.css';

const OutstandingPage = lazyPart(async () => (await import('../account/OutstandingPage')).OutstandingPage);

/** Everything behind the sign-in: the header, the banner of a lost network, and the page. */
export function Shell() {
  const { language, t } = useLanguage();
  const { appearance, palette } = useAppearance();
  const theme = useMemo(() => themeFor(appearance, palette), [appearance, palette]);
  return (
    <ConfigProvider
      csp={csp}
      locale={language === 'zh-CN' ? zhCN : enUS}
      theme={theme}
      button={{ autoInsertSpace: false }}
    >
      <AntApp className="shell" message={{ maxCount: 3, top: 5 }}>
        <a className="shell-skip" href="#content">
          {t('app.skipToContent')}
        </a>
        <SignedIn />
      </AntApp>
    </ConfigProvider>
  );
}

function SignedIn() {
  const session = useSession();
  useChoiceOfOtherTabs();
  usePrepareExams();
  const location = useLocation();
  const signInAddress = useSignInAddress(location.pathname + location.search);
  if (session.isPending) return <Loading />;
  if (session.isError) {
    return (
      <div className="shell-failed">
        <ProblemNotice error={session.error} onRetry={() => void session.refetch()} />
      </div>
    );
  }
  if (session.data === null) return <Navigate to={signInAddress} replace />;
  if (session.data.outstanding !== null) {
    return (
      <Suspense fallback={<Loading />}>
        <OutstandingPage session={session.data} outstanding={session.data.outstanding} />
      </Suspense>
    );
  }
  return (
    // Another organisation is another world: nothing that a page holds goes over.
    <Fragment key={session.data.organisation.id}>
      <LiveUpdates />
      <Header session={session.data} />
      <OfflineBanner />
      <IdleWatch session={session.data} />
      <CriticalAlert session={session.data} />
      <EmergencyAlert session={session.data} />
      <main id="content" className="shell-content" tabIndex={-1}>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </main>
    </Fragment>
  );
}
