import { Segmented, Select, Skeleton } from 'antd';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';

import type { CriticalValue } from '../api/types';
import { Chip, ModalityMark } from '../design/Chip';
import { useMinute } from '../design/clock';
import { Countdown } from '../design/Due';
import { Empty, ProblemNotice } from '../design/Notice';
import { Pager } from '../design/Pager';
import { PatientName, SexAge } from '../design/PatientName';
import { useShortcuts } from '../design/shortcuts';
import { useSites } from '../design/sites';
import { formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useSession } from '../session/session';
import { CriticalView } from './CriticalView';
import { PAGE_SIZE, useCriticalValues } from './queries';
import { callOf, isSite, toneOf } from './words';
import '../design/desk.css';
import '../phone/phone.css';
import './critical.css';

/** Every critical value with its clocks, for the centre and for the site that is told. */
export function CriticalPage() {
  const { id } = useParams();
  const { t, language } = useLanguage();
  const navigate = useNavigate();
  const { data: session } = useSession();
  const site = isSite(session);
  const [open, setOpen] = useState(true);
  const [where, setWhere] = useState<string | null>(null);
  const [page, setPage] = useState(1);
  const values = useCriticalValues({ open, site: where, page });
  const sites = useSites(!site);
  const items = values.data?.items ?? [];
  const step = (by: number): boolean => {
    const at = items.findIndex((one) => one.id === id);
    const next = items[at < 0 ? 0 : at + by];
    if (next === undefined) return false;
    void navigate(`/critical/${next.id}`);
    return true;
  };
  useShortcuts({ j: () => step(1), k: () => step(-1) });
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('critical.title')}</h1>
        {values.data !== undefined && <span className="page-note">{t('critical.open', { n: values.data.open })}</span>}
        <span className="page-space" />
        {!site && (
          <Select
            className="critical-site"
            aria-label={t('critical.site')}
            value={where ?? ''}
            options={[
              { value: '', label: t('critical.allSites') },
              ...(sites.data ?? []).map((one) => ({ value: one.code, label: siteName(language, one) })),
            ]}
            onChange={(chosen) => {
              setWhere(chosen === '' ? null : chosen);
              setPage(1);
            }}
          />
        )}
        <Segmented
          aria-label={t('critical.which')}
          value={open ? 'open' : 'all'}
          options={[
            { value: 'open', label: t('critical.filter.open') },
            { value: 'all', label: t('critical.filter.all') },
          ]}
          onChange={(chosen) => {
            setOpen(chosen === 'open');
            setPage(1);
          }}
        />
      </div>
      {values.isError && (
        <div className="page-problem">
          <ProblemNotice heading={t('critical.failed')} error={values.error} onRetry={() => void values.refetch()} />
        </div>
      )}
      <div className="desk">
        <nav className="desk-list" aria-label={t('critical.list')} aria-busy={values.isPending}>
          {values.isPending && <Skeleton active className="desk-loading" />}
          {values.data?.total === 0 && (
            <Empty
              title={t(open ? 'critical.empty.title' : 'critical.none.title')}
              text={t(site ? 'critical.empty.siteText' : 'critical.empty.text')}
            />
          )}
          {items.map((one) => (
            <CriticalLine key={one.id} value={one} selected={one.id === id} site={site} />
          ))}
          <Pager page={page} pageSize={PAGE_SIZE} total={values.data?.total ?? 0} onPage={setPage} />
        </nav>
        <div className="desk-case">
          {id === undefined ? <p className="desk-choose">{t('critical.choose')}</p> : <CriticalView key={id} id={id} />}
        </div>
      </div>
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
