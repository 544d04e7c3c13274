import { Skeleton } from 'antd';
import { Link } from 'react-router';

import type { CriticalDetail, CriticalNotice } from '../api/types';
import { Chip, ModalityMark } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { PatientName, SexAge } from '../design/PatientName';
import { formatClock, formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useSession } from '../session/session';
import { ClockLadder } from './ClockLadder';
import { CriticalActs } from './CriticalActs';
import { useCritical, useRulesets } from './queries';
import { isSite, stepOf, toneOf } from './words';
import '../phone/phone.css';
import './critical.css';

interface CriticalViewProps {
  id: string;
  /** Beside something that names the patient already. */
  compact?: boolean;
  /** Without what was done so far. */
  brief?: boolean;
}

/** One critical value: what it is, how long it may take, what is to be done now, and what was done. */
export function CriticalView({ id, compact = false, brief = false }: CriticalViewProps) {
  const { data, isError, error, refetch } = useCritical(id);
  if (data !== undefined) return <Loaded value={data} compact={compact} brief={brief} />;
  if (isError) return <ProblemNotice error={error} onRetry={() => void refetch()} />;
  return <Skeleton active paragraph={{ rows: compact ? 3 : 8 }} />;
}

function Loaded({ value, compact, brief }: { value: CriticalDetail; compact: boolean; brief: boolean }) {
  const { t, language } = useLanguage();
  const { data: session } = useSession();
  const exam = isSite(session) ? `/portal/${value.workitem_id}` : `/exams/${value.workitem_id}`;
  return (
    <article className={`critical${compact ? ' critical-compact' : ''}`}>
      <header className="critical-head">
        <h2>{value.finding}</h2>
        <Chip tone={toneOf(value.state)}>{t(`critical.state.${value.state}`)}</Chip>
        {value.in_time === true && <Chip tone="green">{t('critical.inTime')}</Chip>}
        {value.in_time === false && <Chip tone="amber">{t('critical.late')}</Chip>}
      </header>
      {!compact && (
        <p className="critical-patient">
          <strong>
            <PatientName patient={value.patient} />
          </strong>
          <SexAge patient={value.patient} />
          <span className="quiet">{value.patient.local_id}</span>
          <ModalityMark
            lane={value.study.modalities.includes('ECG') ? 'ecg' : 'imaging'}
            modalities={value.study.modalities}
          />
          <span>{value.study.description}</span>
          <span className="quiet">{siteName(language, value.site)}</span>
          <Link to={exam}>{t('critical.openExam')}</Link>
        </p>
      )}
      <RuleLine value={value} />
      <ClockLadder value={value} />
      <CriticalActs value={value} />
      {!brief && <History value={value} />}
    </article>
  );
}

function RuleLine({ value }: { value: CriticalDetail }) {
  const { t, language } = useLanguage();
  const { data } = useRulesets();
  if (value.rule_code === null) return <p className="quiet small">{t('critical.noRule')}</p>;
  const ruleset = data?.find((one) => one.id === value.ruleset);
  const rule = ruleset?.rules.find((one) => one.code === value.rule_code);
  if (ruleset === undefined || rule === undefined) return null;
  const chinese = language === 'zh-CN';
  return (
    <p className="quiet small">
      {rule.code} {chinese ? rule.name : rule.name_en} · {chinese ? ruleset.title : ruleset.title_en} ·{' '}
      {chinese ? ruleset.source : ruleset.source_en}
    </p>
  );
}

interface Event {
  at: string;
  what: string;
  who: string | null;
  said?: string | null;
}

/** What was done, in order, with who did it. */
function History({ value }: { value: CriticalDetail }) {
  const { t } = useLanguage();
  const events = useEvents(value);
  return (
    <section aria-label={t('critical.history')}>
      <h3 className="critical-heading">{t('critical.history')}</h3>
      <ol className="critical-history">
        {events.map((event) => (
          <li key={`${event.at} ${event.what}`}>
            <time dateTime={event.at} title={formatDateTime(event.at)}>
              {formatClock(event.at)}
            </time>
            <span>
              {event.what}
              {event.who !== null && <span className="quiet"> {event.who}</span>}
              {event.said !== undefined && event.said !== null && <q>{event.said}</q>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function useEvents(value: CriticalDetail): Event[] {
  const { t } = useLanguage();
  const told = (notice: CriticalNotice): string =>
    notice.contact_name === null
      ? t('critical.event.noContact', { step: t(`critical.step.${stepOf(notice.step)}`) })
      : `${notice.contact_name} ${notice.contact_phone ?? ''}`;
  const events: Event[] = [
    {
      at: value.found_at,
      what: t('critical.event.found'),
      who: value.found_by?.display_name ?? t('critical.byAnalysis'),
    },
  ];
  if (value.confirmed_at !== null) {
    events.push({
      at: value.confirmed_at,
      what: t(value.confirmed_alone ? 'critical.event.confirmedAlone' : 'critical.event.confirmed'),
      who: value.confirmed_by?.display_name ?? null,
    });
  }
  for (const notice of value.notices) {
    if (notice.kind === 'call') {
      events.push({
        at: notice.at,
        what: t(notice.answered === true ? 'critical.event.reached' : 'critical.event.notReached', {
          who: `${notice.contact_name ?? ''} ${notice.contact_phone ?? ''}`,
        }),
        who: notice.by?.display_name ?? null,
        said: notice.note,
      });
    } else {
      events.push({ at: notice.at, what: t(`critical.event.${notice.kind}`), who: told(notice) });
    }
  }
  if (value.acknowledged_at !== null) {
    const name = value.acknowledged_name ?? '';
    const role = value.acknowledged_role === 'site_doctor' ? t('role.site_doctor') : (value.acknowledged_role ?? '');
    events.push({
      at: value.acknowledged_at,
      what:
        value.recorded_by === null
          ? t('critical.event.acknowledged', { name, role })
          : t('critical.event.acknowledgedByPhone', { name, role }),
      who: value.recorded_by === null ? null : t('critical.event.takenDown', { name: value.recorded_by.display_name }),
      said: value.read_back,
    });
  }
  if (value.actioned_at !== null) {
    events.push({
      at: value.actioned_at,
      what: t('critical.event.acted'),
      who: value.actioned_name,
      said: value.action,
    });
  }
  if (value.closed_at !== null)
    events.push({ at: value.closed_at, what: t('critical.event.closed'), who: value.closed_by?.display_name ?? null });
  if (value.dismissed_at !== null) {
    events.push({
      at: value.dismissed_at,
      what: t('critical.event.dismissed'),
      who: value.dismissed_by?.display_name ?? null,
      said: value.dismissal_reason,
    });
  }
  return events.sort((a, b) => a.at.localeCompare(b.at));
}
