import { Link, useParams } from 'react-router';

import type { CriticalValue } from '../api/types';
import { CaseDesk } from '../design/CaseDesk';
import { CaseFilter, useCaseFilters } from '../design/CaseFilter';
import { Chip, ModalityMark } from '../design/Chip';
import { useMinute } from '../design/clock';
import { Countdown } from '../design/Due';
import { PatientName, SexAge } from '../design/PatientName';
import { formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useSession } from '../session/session';
import { CriticalView } from './CriticalView';
import { PAGE_SIZE, useCriticalValues } from './queries';
import { callOf, isSite, toneOf } from './words';
import '../phone/phone.css';
import './critical.css';

/** Every critical value with its clocks, for the centre and for the site that is told. */
export function CriticalPage() {
  const { id } = useParams();
  const { t } = useLanguage();
  const { data: session } = useSession();
  const site = isSite(session);
  const [filters, setFilters] = useCaseFilters();
  const values = useCriticalValues(filters);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('critical.title')}</h1>
        {values.data !== undefined && <span className="page-note">{t('critical.open', { n: values.data.open })}</span>}
        <span className="page-space" />
        <CaseFilter filters={filters} sites={!site} onChange={setFilters} />
      </div>
      <CaseDesk
        id={id}
        query={values}
        label={t('critical.list')}
        failed={t('critical.failed')}
        empty={{
          title: t(filters.open ? 'critical.empty.title' : 'critical.none.title'),
          text: t(site ? 'critical.empty.siteText' : 'critical.empty.text'),
        }}
        choose={t('critical.choose')}
        page={filters.page}
        pageSize={PAGE_SIZE}
        onPage={(page) => setFilters({ ...filters, page })}
        path={(one) => `/critical/${one.id}`}
        line={(one, selected) => <CriticalLine key={one.id} value={one} selected={selected} site={site} />}
      >
        {(chosen) => <CriticalView key={chosen} id={chosen} />}
      </CaseDesk>
    </div>
  );
}

function CriticalLine({ value, selected, site }: { value: CriticalValue; selected: boolean; site: boolean }) {
  const { t, language } = useLanguage();
  const now = useMinute();
  const call = callOf(value, site);
  return (
    <Link
      to={`/critical/${value.id}`}
      className={`desk-line${call === null ? '' : ' critical-calls'}`}
      {...(selected ? { 'aria-current': 'true' as const } : {})}
    >
      <span className="desk-line-head">
        <strong className="critical-what">{value.finding}</strong>
        <span className="desk-line-due">
          <CriticalDue value={value} />
        </span>
      </span>
      <span>
        <PatientName patient={value.patient} /> <SexAge patient={value.patient} />{' '}
        <ModalityMark
          lane={value.study.modalities.includes('ECG') ? 'ecg' : 'imaging'}
          modalities={value.study.modalities}
        />
      </span>
      <span className="quiet small">
        {[siteName(language, value.site), formatShortTime(value.found_at, now)].join(' · ')}
      </span>
      <span className="desk-line-why">
        <Chip tone={toneOf(value.state)}>{t(`critical.state.${value.state}`)}</Chip>
        {call !== null && call !== 'unheard' && <Chip tone="amber">{t(`critical.call.${call}`)}</Chip>}
        {value.in_time === false && <Chip tone="amber">{t('critical.late')}</Chip>}
      </span>
    </Link>
  );
}

/** The clock that runs now: to the limit while nobody knows, to the action afterwards. */
export function CriticalDue({ value }: { value: CriticalValue }) {
  if (value.state === 'ACKED' && value.acknowledged_at !== null && value.next_at !== null) {
    return <Countdown queuedAt={value.acknowledged_at} dueAt={value.next_at} />;
  }
  const waits = value.acknowledged_at === null && value.dismissed_at === null;
  return waits ? <Countdown queuedAt={value.found_at} dueAt={value.limit_at} /> : null;
}
