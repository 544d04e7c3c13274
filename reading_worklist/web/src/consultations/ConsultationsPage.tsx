import { Segmented } from 'antd';
import { useState } from 'react';
import { Link, useParams, useSearchParams } from 'react-router';

import type { Consultation } from '../api/types';
import { CaseDesk } from '../design/CaseDesk';
import { Chip, ModalityMark } from '../design/Chip';
import { useMinute } from '../design/clock';
import { Countdown } from '../design/Due';
import { PatientName, SexAge } from '../design/PatientName';
import { formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useSession } from '../session/session';
import { ConsultationView } from './ConsultationView';
import { ExpertsTab } from './ExpertsTab';
import { PAGE_SIZE, useConsultations } from './queries';
import { isUnanswered, toneOf } from './words';
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
  const [page, setPage] = useState(1);
  const cases = useConsultations(open, page);
  return (
    <CaseDesk
      id={id}
      query={cases}
      label={t('consult.list')}
      failed={t('consult.failed')}
      empty={{ title: t('consult.empty.title'), text: t(expert ? 'consult.empty.expertText' : 'consult.empty.text') }}
      choose={t('consult.choose')}
      page={page}
      pageSize={PAGE_SIZE}
      onPage={setPage}
      path={(one) => `/consultations/${one.id}${open ? '' : '?tab=all'}`}
      line={(one, selected) => <CaseLine key={one.id} consultation={one} selected={selected} open={open} />}
    >
      {(chosen) => <ConsultationView key={chosen} id={chosen} />}
    </CaseDesk>
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
