import { Segmented, Skeleton } from 'antd';
import { useState } from 'react';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';

import type { Consultation } from '../api/types';
import { Chip, ModalityMark } from '../design/Chip';
import { useMinute } from '../design/clock';
import { Countdown } from '../design/Due';
import { Empty, ProblemNotice } from '../design/Notice';
import { Pager } from '../design/Pager';
import { PatientName, SexAge } from '../design/PatientName';
import { useShortcuts } from '../design/shortcuts';
import { formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useSession } from '../session/session';
import { ConsultationView } from './ConsultationView';
import { ExpertsTab } from './ExpertsTab';
import { PAGE_SIZE, useConsultations } from './queries';
import { isUnanswered, toneOf } from './words';
import '../design/desk.css';
import '../critical/critical.css';
import '../phone/phone.css';
import '../retakes/retakes.css';
import './consultations.css';

const TABS = ['open', 'all', 'experts'] as const;
type Tab = (typeof TABS)[number];

/** Consultations: of an expert those he is asked for, of the others those of their sites. */
export function ConsultationsPage() {
  const { id } = useParams();
  const { t } = useLanguage();
  const { data: session } = useSession();
  const [parameters, setParameters] = useSearchParams();
  const expert = session?.roles.every((role) => role === 'expert') ?? false;
  const keeps = session?.roles.includes('consortium_admin') ?? false;
  const tabs = TABS.filter((each) => each !== 'experts' || keeps);
  const tab: Tab = tabs.find((each) => each === parameters.get('tab')) ?? 'open';
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t(expert ? 'consult.expertTitle' : 'consult.title')}</h1>
        <span className="page-space" />
        <Segmented
          aria-label={t('critical.which')}
          value={tab}
          options={tabs.map((each) => ({ value: each, label: t(`consult.tab.${each}`) }))}
          onChange={(chosen) => setParameters(chosen === 'open' ? {} : { tab: chosen }, { replace: true })}
        />
      </div>
      {tab === 'experts' ? <ExpertsTab /> : <Cases key={tab} id={id} open={tab === 'open'} expert={expert} />}
    </div>
  );
}

function Cases({ id, open, expert }: { id: string | undefined; open: boolean; expert: boolean }) {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const [page, setPage] = useState(1);
  const cases = useConsultations(open, page);
  const items = cases.data?.items ?? [];
  const step = (by: number): boolean => {
    const at = items.findIndex((one) => one.id === id);
    const next = items[at < 0 ? 0 : at + by];
    if (next === undefined) return false;
    void navigate(`/consultations/${next.id}${open ? '' : '?tab=all'}`);
    return true;
  };
  useShortcuts({ j: () => step(1), k: () => step(-1) });
  return (
    <>
      {cases.isError && (
        <div className="page-problem">
          <ProblemNotice heading={t('consult.failed')} error={cases.error} onRetry={() => void cases.refetch()} />
        </div>
      )}
      <div className="desk">
        <nav className="desk-list" aria-label={t('consult.list')} aria-busy={cases.isPending}>
          {cases.isPending && <Skeleton active className="desk-loading" />}
          {cases.data?.total === 0 && (
            <Empty
              title={t('consult.empty.title')}
              text={t(expert ? 'consult.empty.expertText' : 'consult.empty.text')}
            />
          )}
          {items.map((one) => (
            <CaseLine key={one.id} consultation={one} selected={one.id === id} open={open} />
          ))}
          <Pager page={page} pageSize={PAGE_SIZE} total={cases.data?.total ?? 0} onPage={setPage} />
        </nav>
        <div className="desk-case">
          {id === undefined ? (
            <p className="desk-choose">{t('consult.choose')}</p>
          ) : (
            <ConsultationView key={id} id={id} />
          )}
        </div>
      </div>
    </>
  );
}

function CaseLine({ consultation, selected, open }: { consultation: Consultation; selected: boolean; open: boolean }) {
  const { t, language } = useLanguage();
  const { data: session } = useSession();
  const now = useMinute();
  return (
    <Link
      to={`/consultations/${consultation.id}${open ? '' : '?tab=all'}`}
      className="desk-line"
      {...(selected ? { 'aria-current': 'true' as const } : {})}
    >
      <span className="desk-line-head">
        <strong>
          <PatientName patient={consultation.patient} latin={false} />
        </strong>
        <SexAge patient={consultation.patient} />
        <ModalityMark lane={consultation.lane} modalities={consultation.study.modalities} />
        <span className="desk-line-due">
          {isUnanswered(consultation) && <Countdown queuedAt={consultation.applied_at} dueAt={consultation.due_at} />}
        </span>
      </span>
      <span>{consultation.purpose}</span>
      <span className="quiet small">
        {[
          siteName(language, consultation.site),
          consultation.invitee.id === session?.person.id ? '' : consultation.invitee.display_name,
          formatShortTime(consultation.applied_at, now),
        ]
          .filter((part) => part !== '')
          .join(' · ')}
      </span>
      <span className="desk-line-why">
        <Chip tone={toneOf(consultation.state)}>{t(`consult.state.${consultation.state}`)}</Chip>
        {consultation.urgency === 'urgent' && <Chip tone="red">{t('consult.urgency.urgent')}</Chip>}
      </span>
    </Link>
  );
}
