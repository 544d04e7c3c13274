import { useState } from 'react';
import { Link, useNavigate } from 'react-router';

import type { Preliminary } from '../api/types';
import { Chip, ModalityMark, PriorityMark, StateChip } from '../design/Chip';
import { useMinute } from '../design/clock';
import { Countdown } from '../design/Due';
import { Pager } from '../design/Pager';
import { PatientName, SexAge } from '../design/PatientName';
import { QueryTable } from '../design/QueryTable';
import type { Column } from '../design/Table';
import { formatDateTime, formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { PAGE_SIZE, usePreliminary } from './queries';
import './preliminary.css';

/** Preliminary reports, which hold until noon of the next working day. */
export function PreliminaryPage() {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const [page, setPage] = useState(1);
  const reports = usePreliminary(page);
  const columns = useColumns();
  const late = reports.data?.late ?? 0;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('preliminary.title')}</h1>
        {reports.data !== undefined && (
          <span className="page-note">{t('preliminary.intro', { n: reports.data.total })}</span>
        )}
      </div>
      {late > 0 && (
        <p className="preliminary-late" role="status">
          {t('preliminary.late', { n: late })}
        </p>
      )}
      <QueryTable
        query={reports}
        failed={t('preliminary.failed')}
        empty={{ title: t('preliminary.empty.title'), text: t('preliminary.empty.text') }}
        label={t('preliminary.title')}
        columns={columns}
        rowKey={(one) => one.workitem.id}
        onRow={(one) => void navigate(`/exams/${one.workitem.id}`, { state: { from: '/preliminary' } })}
      />
      <Pager page={page} pageSize={PAGE_SIZE} total={reports.data?.total ?? 0} onPage={setPage} />
    </div>
  );
}

function useColumns(): Column<Preliminary>[] {
  const { t, language } = useLanguage();
  const now = useMinute();
  return [
    {
      key: 'patient',
      heading: t('preliminary.column.patient'),
      width: 240,
      cell: ({ workitem }) => (
        <>
          <Link className="strong" to={`/exams/${workitem.id}`} state={{ from: '/preliminary' }}>
            <PatientName patient={workitem.patient} />
          </Link>{' '}
          <SexAge patient={workitem.patient} />
          <div className="quiet small">{siteName(language, workitem.site)}</div>
        </>
      ),
    },
    {
      key: 'exam',
      heading: t('preliminary.column.exam'),
      cell: ({ workitem }) => (
        <>
          <ModalityMark lane={workitem.lane} modalities={workitem.study.modalities} /> {workitem.study.description}{' '}
          {workitem.priority !== 'ROUTINE' && <PriorityMark priority={workitem.priority} />}
        </>
      ),
    },
    {
      key: 'writer',
      heading: t('preliminary.column.writer'),
      width: 150,
      cell: ({ workitem, issued_at: issued }) => (
        <>
          {workitem.written_by?.display_name}
          <div className="quiet small" title={formatDateTime(issued)}>
            {formatShortTime(issued, now)}
          </div>
        </>
      ),
    },
    {
      key: 'state',
      heading: t('preliminary.column.state'),
      width: 130,
      cell: ({ workitem }) => <StateChip state={workitem.state} />,
    },
    {
      key: 'due',
      heading: t('preliminary.column.due'),
      width: 190,
      cell: ({ issued_at: issued, due_at: due, late }) => (
        <>
          <Countdown queuedAt={issued} dueAt={due} />
          <div className="quiet small">{formatDateTime(due)}</div>
          {late && <Chip tone="red">{t('preliminary.overdue')}</Chip>}
        </>
      ),
    },
  ];
}
