import { Segmented, Select, Skeleton } from 'antd';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';

import type { Retake } from '../api/types';
import { isSite } from '../critical/words';
import { Chip, ModalityMark, PriorityMark } from '../design/Chip';
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
import { PAGE_SIZE, useRetakes } from './queries';
import { RetakeView } from './RetakeView';
import { toneOf, whyOf } from './words';
import '../design/desk.css';
import '../critical/critical.css';
import '../phone/phone.css';
import './retakes.css';

/** Exams that have to be made again, for the centre that asked and the site that makes them. */
export function RetakesPage() {
  const { id } = useParams();
  const { t, language } = useLanguage();
  const navigate = useNavigate();
  const { data: session } = useSession();
  const site = isSite(session);
  const [open, setOpen] = useState(true);
  const [where, setWhere] = useState<string | null>(null);
  const [page, setPage] = useState(1);
  const retakes = useRetakes({ open, site: where, page });
  const sites = useSites(!site);
  const items = retakes.data?.items ?? [];
  const step = (by: number): boolean => {
    const at = items.findIndex((one) => one.id === id);
    const next = items[at < 0 ? 0 : at + by];
    if (next === undefined) return false;
    void navigate(`/retakes/${next.id}`);
    return true;
  };
  useShortcuts({ j: () => step(1), k: () => step(-1) });
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('retake.title')}</h1>
        {retakes.data !== undefined && (
          <span className="page-note">{t('retake.waiting', { n: retakes.data.waiting })}</span>
        )}
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
      {retakes.isError && (
        <div className="page-problem">
          <ProblemNotice heading={t('retake.failed')} error={retakes.error} onRetry={() => void retakes.refetch()} />
        </div>
      )}
      <div className="desk">
        <nav className="desk-list" aria-label={t('retake.list')} aria-busy={retakes.isPending}>
          {retakes.isPending && <Skeleton active className="desk-loading" />}
          {retakes.data?.total === 0 && (
            <Empty title={t('retake.empty.title')} text={t(site ? 'retake.empty.siteText' : 'retake.empty.text')} />
          )}
          {items.map((one) => (
            <RetakeLine key={one.id} retake={one} selected={one.id === id} />
          ))}
          <Pager page={page} pageSize={PAGE_SIZE} total={retakes.data?.total ?? 0} onPage={setPage} />
        </nav>
        <div className="desk-case">
          {id === undefined ? <p className="desk-choose">{t('retake.choose')}</p> : <RetakeView key={id} id={id} />}
        </div>
      </div>
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
