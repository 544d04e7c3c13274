import { AlertFilled } from '@ant-design/icons';
import { useEffect, useRef } from 'react';
import { Link, useNavigate } from 'react-router';

import { serverNow } from '../api/serverClock';
import type { CriticalValue, Session } from '../api/types';
import { useSecond } from '../design/clock';
import { PatientName } from '../design/PatientName';
import { formatDuration } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { AlertBells } from './AlertBells';
import { mutedUntil } from './mute';
import { useOpenCriticalValues } from './queries';
import { soundAlarm } from './sound';
import { type Call, callOf, isSite, ringKey } from './words';
import './alert.css';

/** Whom a critical value calls to, by role: doctors confirm, and all who may ring a site are told that nobody answers. */
const CALLED: Record<Call, readonly string[]> = {
  confirm: ['writer', 'reviewer'],
  unheard: ['site_doctor', 'site_technician'],
  escalated: ['writer', 'reviewer', 'dispatcher', 'site_doctor', 'site_technician'],
  overdue: ['writer', 'reviewer', 'dispatcher', 'site_doctor'],
};
const WATCHERS = new Set(Object.values(CALLED).flat());

interface Calling {
  value: CriticalValue;
  call: Call;
}

/** The banner, the sound and the title of critical values that this person has to do something about. */
export function CriticalAlert({ session }: { session: Session }) {
  const { t, language } = useLanguage();
  const { data } = useOpenCriticalValues(session.roles.some((role) => WATCHERS.has(role)));
  const site = isSite(session);
  const calling = (data?.items ?? []).flatMap((value): Calling[] => {
    const call = callOf(value, site);
    return call !== null && CALLED[call].some((role) => session.roles.includes(role)) ? [{ value, call }] : [];
  });
  useAlarm(calling, session.person.id);
  useTitle(calling.length);
  const [first] = calling;
  if (first === undefined) return null;
  return (
    <div className="alert" role="alert">
      <AlertFilled className="alert-mark" />
      <span className="alert-text">
        <strong>{t(`critical.alert.${first.call}`)}</strong> {site ? '' : `${siteName(language, first.value.site)} · `}
        <PatientName patient={first.value.patient} latin={false} /> · {first.value.finding}
      </span>
      <AlertClock value={first.value} call={first.call} />
      {calling.length > 1 && <Link to="/critical">{t('critical.alert.more', { n: calling.length - 1 })}</Link>}
      <span className="alert-space" />
      <Link className="alert-go" to={`/critical/${first.value.id}`}>
        {t('critical.alert.open')}
      </Link>
      <AlertBells person={session.person.id} />
    </div>
  );
}

function AlertClock({ value, call }: Calling) {
  const { t, language } = useLanguage();
  const now = useSecond();
  if (call === 'overdue') return null;
  const left = Date.parse(value.limit_at) - now;
  const time = formatDuration(language, left);
  return <span className="alert-clock">{t(left < 0 ? 'worklist.due.overdue' : 'worklist.due.left', { time })}</span>;
}

/** Sounds and notifies once for each that begins to call, or calls at a further step. */
function useAlarm(calling: readonly Calling[], person: string): void {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const rung = useRef(new Set<string>());
  useEffect(() => {
    const fresh = calling.filter(({ value, call }) => !rung.current.has(ringKey(value, call)));
    if (fresh.length === 0) return;
    for (const { value, call } of fresh) rung.current.add(ringKey(value, call));
    if (mutedUntil(person) <= serverNow()) void soundAlarm();
    if (!document.hidden || !('Notification' in window) || Notification.permission !== 'granted') return;
    for (const { value, call } of fresh) {
      // A lock screen is no place for a name.
      const shown = new Notification(t(`critical.alert.${call}`), { body: value.finding, tag: value.id });
      shown.onclick = () => {
        window.focus();
        void navigate(`/critical/${value.id}`);
        shown.close();
      };
    }
  }, [calling, person, navigate, t]);
}

/** The title tells in a tab behind others how many call. */
function useTitle(count: number): void {
  const { t } = useLanguage();
  useEffect(() => {
    if (count === 0) return undefined;
    document.title = t('critical.alert.title', { n: count, name: t('app.name') });
    return () => {
      document.title = t('app.name');
    };
  }, [count, t]);
}
