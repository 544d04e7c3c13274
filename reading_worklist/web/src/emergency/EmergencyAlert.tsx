import { HeartFilled } from '@ant-design/icons';
import { useEffect, useRef } from 'react';
import { Link } from 'react-router';

import { serverNow } from '../api/serverClock';
import type { AnsweredEcg, Session, WaitingEcg } from '../api/types';
import { AlertBells } from '../critical/AlertBells';
import { mutedUntil } from '../critical/mute';
import { soundAlarm } from '../critical/sound';
import { isSite } from '../critical/words';
import { useSecond } from '../design/clock';
import { PatientName } from '../design/PatientName';
import { formatDuration } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useAnsweredEcgs, useWaitingEcgs } from './queries';
import { begun, waitingKey } from './ring';
import './emergency.css';

const WATCHERS = ['writer', 'reviewer', 'dispatcher'];
const NONE: readonly never[] = [];

/** Banner and sound of emergency ECGs: at the centre until somebody claims one, at the site until its report is opened. */
export function EmergencyAlert({ session }: { session: Session }) {
  const site = isSite(session);
  const watches = !site && session.roles.some((role) => WATCHERS.includes(role));
  const waiting = useWaitingEcgs(watches).data?.items ?? NONE;
  const answered = useAnsweredEcgs(site).data?.items ?? NONE;
  if (waiting.length > 0) return <Waiting ecgs={waiting} person={session.person.id} />;
  if (answered.length > 0) return <Answered ecgs={answered} person={session.person.id} />;
  return null;
}

function Waiting({ ecgs, person }: { ecgs: readonly WaitingEcg[]; person: string }) {
  const { t, language } = useLanguage();
  const now = useSecond();
  useRing(ecgs, (one) => waitingKey(one, now), person);
  const [first] = ecgs;
  if (first === undefined) return null;
  const left = Date.parse(first.due_at) - now;
  return (
    <div className="alert emergency" role="alert">
      <HeartFilled className="alert-mark" />
      <span className="alert-text">
        <strong>{t(first.chest_pain ? 'emergency.chestPain' : 'emergency.stat')}</strong>{' '}
        {siteName(language, first.site)} · <PatientName patient={first.patient} latin={false} />
      </span>
      <span className="alert-clock">
        {t(left < 0 ? 'worklist.due.overdue' : 'worklist.due.left', { time: formatDuration(language, left) })}
      </span>
      {ecgs.length > 1 && <Link to="/worklist?lane=ecg">{t('critical.alert.more', { n: ecgs.length - 1 })}</Link>}
      <span className="alert-space" />
      <Link className="alert-go" to={`/exams/${first.workitem_id}`}>
        {t('emergency.open')}
      </Link>
      <AlertBells person={person} />
    </div>
  );
}

function Answered({ ecgs, person }: { ecgs: readonly AnsweredEcg[]; person: string }) {
  const { t, language } = useLanguage();
  const now = useSecond();
  useRing(ecgs, (one) => `${one.workitem_id} ${one.issued_at}`, person);
  const [first] = ecgs;
  if (first === undefined) return null;
  return (
    <div className="alert emergency-back" role="alert">
      <HeartFilled className="alert-mark" />
      <span className="alert-text">
        <strong>{t(first.preliminary ? 'emergency.back.preliminary' : 'emergency.back.final')}</strong>{' '}
        <PatientName patient={first.patient} latin={false} />
      </span>
      <span className="alert-clock">
        {t('emergency.back.since', { time: formatDuration(language, now - Date.parse(first.issued_at)) })}
      </span>
      {ecgs.length > 1 && <Link to="/site-exams">{t('critical.alert.more', { n: ecgs.length - 1 })}</Link>}
      <span className="alert-space" />
      <Link className="alert-go" to={`/portal/${first.workitem_id}`}>
        {t('emergency.back.open')}
      </Link>
      <AlertBells person={person} />
    </div>
  );
}

/** Sounds once for each that begins to call; a muted shift has the banner alone. */
function useRing<T>(calling: readonly T[], nameOf: (one: T) => string, person: string): void {
  const rung = useRef(new Set<string>());
  const names = calling.map(nameOf).join('\n');
  useEffect(() => {
    const fresh = begun(names.split('\n'), (name) => name, rung.current);
    if (fresh.length > 0 && mutedUntil(person) <= serverNow()) void soundAlarm();
  }, [names, person]);
}
