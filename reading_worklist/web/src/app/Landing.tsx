import { Navigate } from 'react-router';

import { useLanguage } from '../i18n/language';
import { landingOf } from '../session/roles';
import { useSession } from '../session/session';
import './plain.css';

/** Sends each person to the page of their role. */
export function Landing() {
  const { t } = useLanguage();
  const { data: session } = useSession();
  if (!session) return null;
  const page = landingOf(session);
  if (page !== null) return <Navigate to={page} replace />;
  return (
    <div className="plain-page">
      <h1>{t('noPage.title')}</h1>
      <p>{t('noPage.text')}</p>
    </div>
  );
}
