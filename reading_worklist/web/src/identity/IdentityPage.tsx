import { Segmented, Skeleton } from 'antd';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';

import type { Case } from '../api/types';
import { Chip, ModalityMark, PriorityMark } from '../design/Chip';
import { useSecond } from '../design/clock';
import { Empty, ProblemNotice } from '../design/Notice';
import { Name } from '../design/PatientName';
import { Pager } from '../design/Pager';
import { useShortcuts } from '../design/shortcuts';
import { formatDateTime, formatDuration } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { CaseView } from './CaseView';
import { differenceWords } from './differences';
import { type CaseState, useCases } from './queries';
import '../design/desk.css';
import './identity.css';

const STATES = ['OPEN', 'DECIDED'] as const satisfies readonly CaseState[];

/** The dispatcher's desk: studies that nobody may read before it is decided whose they are. */
export function IdentityPage() {
  const { id } = useParams();
  const { t } = useLanguage();
  const navigate = useNavigate();
  const [state, setState] = useState<CaseState>('OPEN');
  const [page, setPage] = useState(1);
  const cases = useCases(state, page);
  const items = cases.data?.items ?? [];
  const step = (by: number): boolean => {
    const at = items.findIndex((one) => one.id === id);
    const next = items[at < 0 ? 0 : at + by];
    if (next === undefined) return false;
    void navigate(`/identity/${next.id}`);
    return true;
  };
  useShortcuts({ j: () => step(1), k: () => step(-1) });
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('identity.title')}</h1>
        {cases.data !== undefined && <span className="page-note">{t('identity.intro', { n: cases.data.open })}</span>}
        <Segmented
          aria-label={t('quarantine.column.state')}
          value={state}
          options={STATES.map((each) => ({ value: each, label: t(`identity.state.${each}`) }))}
          onChange={(chosen) => {
            setState(chosen);
            setPage(1);
          }}
        />
      </div>
      {cases.isError && (
        <div className="page-problem">
          <ProblemNotice heading={t('identity.failed')} error={cases.error} onRetry={() => void cases.refetch()} />
        </div>
      )}
      <div className="desk">
        <nav className="desk-list" aria-label={t('identity.list')}>
          {cases.isPending && <Skeleton active paragraph={{ rows: 6 }} className="desk-loading" aria-busy="true" />}
          {cases.data?.total === 0 && <Empty title={t('identity.empty.title')} text={t('identity.empty.text')} />}
          {items.map((one) => (
            <CaseLine key={one.id} case={one} selected={one.id === id} />
          ))}
          <Pager page={page} pageSize={cases.data?.page_size ?? 50} total={cases.data?.total ?? 0} onPage={setPage} />
        </nav>
        <div className="desk-case">
          {id !== undefined ? (
            <CaseView key={id} id={id} />
          ) : (
            items.length > 0 && <p className="desk-choose">{t('identity.choose')}</p>
          )}
        </div>
      </div>
    </div>
  );
}

function CaseLine({ case: one, selected }: { case: Case; selected: boolean }) {
  const { t, language } = useLanguage();
  return (
    <Link to={`/identity/${one.id}`} className="desk-line" {...(selected ? { 'aria-current': 'true' as const } : {})}>
      <span className="desk-line-head">
        <strong>
          <Name name={one.header.name} latin={one.header.latin_name} />
        </strong>
        <ModalityMark
          lane={one.study.modalities.includes('ECG') ? 'ecg' : 'imaging'}
          modalities={one.study.modalities}
        />
        {one.priority !== 'ROUTINE' && <PriorityMark priority={one.priority} />}
        <span className="desk-line-due">
          {one.state === 'OPEN' ? <CaseDue at={one.due_at} /> : <Decided case={one} />}
        </span>
      </span>
      <span className="quiet small">
        {[siteName(language, one.site), one.header.local_id, one.study.description].filter(Boolean).join(' · ')}
      </span>
      <span className="desk-line-why">
        {one.opened_because !== null && (
          <Chip tone="violet">{t('identity.openedBecause', { reason: one.opened_because })}</Chip>
        )}
        {one.differences.map((difference) => (
          <Chip key={`${difference.attribute} ${difference.finding}`} tone="amber">
            {differenceWords(language, difference)}
          </Chip>
        ))}
      </span>
    </Link>
  );
}

function CaseDue({ at }: { at: string }) {
  const { t, language } = useLanguage();
  const left = Date.parse(at) - useSecond();
  const time = formatDuration(language, left);
  return (
    <span className={left < 0 ? 'danger' : 'quiet'} title={formatDateTime(at)}>
      {left < 0 ? t('identity.overdue', { time }) : t('identity.dueIn', { time })}
    </span>
  );
}

function Decided({ case: one }: { case: Case }) {
  const { t } = useLanguage();
  if (one.decision === null) return null;
  return <span className="quiet">{t(`identity.decision.${one.decision.kind}`)}</span>;
}
