import { SearchOutlined } from '@ant-design/icons';
import { Input, Select } from 'antd';
import { useEffect, useMemo, useState } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';

import type { Exam } from '../api/types';
import { ModalityMark, PriorityMark } from '../design/Chip';
import { useMinute } from '../design/clock';
import { Empty, ProblemNotice } from '../design/Notice';
import { Pager } from '../design/Pager';
import { PatientName, SexAge } from '../design/PatientName';
import { type Column, Table } from '../design/Table';
import { formatShortTime, formatStudyTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { type ExamFilters, PAGE_SIZE, useExams } from './queries';
import { EXAM_STEPS } from './road';
import { Road } from './Road';
import './portal.css';

const SEARCH_DELAY = 300;

function filtersFrom(parameters: URLSearchParams): ExamFilters {
  const page = Number(parameters.get('page') ?? '1');
  return {
    text: parameters.get('q') ?? '',
    step: EXAM_STEPS.find((step) => step === parameters.get('step')) ?? null,
    page: Number.isInteger(page) && page > 0 ? page : 1,
  };
}

function parametersFrom({ text, step, page }: ExamFilters): URLSearchParams {
  const parameters = new URLSearchParams();
  if (text !== '') parameters.set('q', text);
  if (step !== null) parameters.set('step', step);
  if (page !== 1) parameters.set('page', String(page));
  return parameters;
}

/** What a site sent, where each exam is on its road, and the reports that came back. */
export function PortalPage() {
  const { t } = useLanguage();
  const [parameters, setParameters] = useSearchParams();
  const filters = useMemo(() => filtersFrom(parameters), [parameters]);
  const exams = useExams(filters);
  const columns = useColumns();
  const navigate = useNavigate();
  const change = (part: Partial<ExamFilters>): void => {
    setParameters((old) => parametersFrom({ ...filtersFrom(old), page: 1, ...part }), { replace: true });
  };
  const narrowed = filters.text !== '' || filters.step !== null;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('portal.title')}</h1>
        <span className="page-space" />
        <Select
          aria-label={t('portal.state')}
          className="portal-step"
          value={filters.step ?? ''}
          options={[
            { value: '', label: t('portal.state.all') },
            ...EXAM_STEPS.map((step) => ({ value: step, label: t(`road.${step}`) })),
          ]}
          onChange={(chosen) => change({ step: EXAM_STEPS.find((step) => step === chosen) ?? null })}
        />
        <Search key={filters.text} text={filters.text} onSearch={(text) => change({ text })} />
      </div>
      {exams.isError && (
        <div className="page-problem">
          <ProblemNotice heading={t('portal.failed')} error={exams.error} onRetry={() => void exams.refetch()} />
        </div>
      )}
      {exams.data?.total === 0 ? (
        <div className="page-empty">
          {narrowed ? (
            <Empty title={t('worklist.emptyFilter.title')} text={t('worklist.emptyFilter.text')} />
          ) : (
            <Empty title={t('portal.empty.title')} text={t('portal.empty.text')} />
          )}
        </div>
      ) : (
        <Table
          label={t('portal.table')}
          columns={columns}
          rows={exams.data?.items ?? (exams.isError ? [] : null)}
          rowKey={(exam) => exam.id}
          onRow={(exam) => void navigate(`/portal/${exam.id}`)}
          old={exams.isPlaceholderData}
        />
      )}
      <Pager
        page={filters.page}
        pageSize={PAGE_SIZE}
        total={exams.data?.total ?? 0}
        onPage={(page) => change({ page })}
      />
    </div>
  );
}

function Search({ text, onSearch }: { text: string; onSearch: (text: string) => void }) {
  const { t } = useLanguage();
  const [typed, setTyped] = useState(text);
  useEffect(() => {
    if (typed.trim() === text) return undefined;
    const timer = setTimeout(() => onSearch(typed.trim()), SEARCH_DELAY);
    return () => clearTimeout(timer);
  }, [typed, text, onSearch]);
  return (
    <Input
      className="portal-search"
      aria-label={t('portal.search')}
      placeholder={t('portal.searchHint')}
      prefix={<SearchOutlined />}
      allowClear
      maxLength={100}
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      onPressEnter={() => onSearch(typed.trim())}
    />
  );
}

function useColumns(): Column<Exam>[] {
  const { t } = useLanguage();
  const now = useMinute();
  return [
    {
      key: 'patient',
      heading: t('portal.column.patient'),
      width: 220,
      cell: (exam) => (
        <>
          <Link className="portal-patient" to={`/portal/${exam.id}`}>
            <PatientName patient={exam.patient} />
          </Link>{' '}
          <SexAge patient={exam.patient} />
          <div className="quiet small">{exam.patient.local_id ?? t('app.none')}</div>
        </>
      ),
    },
    {
      key: 'exam',
      heading: t('portal.column.exam'),
      cell: (exam) => (
        <>
          <ModalityMark lane={exam.lane} modalities={exam.study.modalities} />{' '}
          {exam.study.description ?? t('worklist.noDescription')}{' '}
          {exam.priority !== 'ROUTINE' && <PriorityMark priority={exam.priority} />}
          <div className="quiet small">
            {[formatStudyTime(exam.study.study_date, exam.study.study_time, now), exam.study.accession_number]
              .filter((part) => part !== null)
              .join(' · ')}
          </div>
        </>
      ),
    },
    {
      key: 'received',
      heading: t('portal.column.received'),
      width: 110,
      cell: (exam) => formatShortTime(exam.steps.received_at, now),
    },
    { key: 'progress', heading: t('portal.column.progress'), width: '30%', cell: (exam) => <Road exam={exam} /> },
    { key: 'report', heading: t('portal.column.report'), width: 130, cell: (exam) => <ReportLink exam={exam} /> },
  ];
}

function ReportLink({ exam }: { exam: Exam }) {
  const { t } = useLanguage();
  if (exam.report_version === null) return <span className="quiet">{t('portal.noReport')}</span>;
  const fresh = exam.steps.opened_at === null;
  return (
    <Link to={`/portal/${exam.id}`} className={`portal-report${fresh ? ' portal-report-new' : ''}`}>
      {t('portal.openReport')}
    </Link>
  );
}
