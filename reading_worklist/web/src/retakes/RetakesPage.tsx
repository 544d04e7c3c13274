import { Link, useParams } from 'react-router';

import type { Retake } from '../api/types';
import { isSite } from '../critical/words';
import { CaseDesk } from '../design/CaseDesk';
import { CaseFilter, useCaseFilters } from '../design/CaseFilter';
import { Chip, ModalityMark, PriorityMark } from '../design/Chip';
import { useMinute } from '../design/clock';
import { Countdown } from '../design/Due';
import { PatientName, SexAge } from '../design/PatientName';
import { formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useSession } from '../session/session';
import { PAGE_SIZE, useRetakes } from './queries';
import { RetakeView } from './RetakeView';
import { toneOf, whyOf } from './words';
import '../critical/critical.css';
import '../phone/phone.css';
import './retakes.css';

/** Exams that have to be made again, for the centre that asked and the site that makes them. */
export function RetakesPage() {
  const { id } = useParams();
  const { t } = useLanguage();
  const { data: session } = useSession();
  const site = isSite(session);
  const [filters, setFilters] = useCaseFilters();
  const retakes = useRetakes(filters);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('retake.title')}</h1>
        {retakes.data !== undefined && (
          <span className="page-note">{t('retake.waiting', { n: retakes.data.waiting })}</span>
        )}
        <span className="page-space" />
        <CaseFilter filters={filters} sites={!site} onChange={setFilters} />
      </div>
      <CaseDesk
        id={id}
        query={retakes}
        label={t('retake.list')}
        failed={t('retake.failed')}
        empty={{ title: t('retake.empty.title'), text: t(site ? 'retake.empty.siteText' : 'retake.empty.text') }}
        choose={t('retake.choose')}
        page={filters.page}
        pageSize={PAGE_SIZE}
        onPage={(page) => setFilters({ ...filters, page })}
        path={(one) => `/retakes/${one.id}`}
        line={(one, selected) => <RetakeLine key={one.id} retake={one} selected={selected} />}
      >
        {(chosen) => <RetakeView key={chosen} id={chosen} />}
      </CaseDesk>
    </div>
  );
}

function RetakeLine({ retake, selected }: { retake: Retake; selected: boolean }) {
  const { t, language } = useLanguage();
  const now = useMinute();
  return (
    <Link to={`/retakes/${retake.id}`} className="desk-line" {...(selected ? { 'aria-current': 'true' as const } : {})}>
      <span className="desk-line-head">
        <strong>
          <PatientName patient={retake.patient} latin={false} />
        </strong>
        <SexAge patient={retake.patient} />
        <ModalityMark
          lane={retake.study.modalities.includes('ECG') ? 'ecg' : 'imaging'}
          modalities={retake.study.modalities}
        />
        {retake.priority !== 'ROUTINE' && <PriorityMark priority={retake.priority} />}
        <span className="desk-line-due">
          {retake.state === 'REQUESTED' && retake.due_at !== null && (
            <Countdown queuedAt={retake.requested_at} dueAt={retake.due_at} />
          )}
        </span>
      </span>
      <span>{whyOf(language, retake)}</span>
      <span className="quiet small">
        {[siteName(language, retake.site), formatShortTime(retake.requested_at, now)].join(' · ')}
      </span>
      <span className="desk-line-why">
        <Chip tone={toneOf(retake.state)}>{t(`retake.state.${retake.state}`)}</Chip>
        {retake.booked_for !== null && retake.received_at === null && (
          <Chip tone="blue">{t('retake.booked', { time: formatShortTime(retake.booked_for, now) })}</Chip>
        )}
      </span>
    </Link>
  );
}
