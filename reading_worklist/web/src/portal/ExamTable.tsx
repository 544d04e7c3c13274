import { Link, useNavigate } from 'react-router';

import type { Exam } from '../api/types';
import { ModalityMark, PriorityMark } from '../design/Chip';
import { useMinute } from '../design/clock';
import { PatientName, SexAge } from '../design/PatientName';
import { type Column, Table } from '../design/Table';
import { formatShortTime, formatStudyTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { Road } from './Road';
import './portal.css';

interface ExamTableProps {
  label: string;
  /** null while the first answer is awaited. */
  exams: readonly Exam[] | null;
  old?: boolean;
}

/** Exams of the site with the road of each; a row opens its exam. */
export function ExamTable({ label, exams, old = false }: ExamTableProps) {
  const columns = useColumns();
  const navigate = useNavigate();
  return (
    <Table
      label={label}
      columns={columns}
      rows={exams}
      rowKey={(exam) => exam.id}
      onRow={(exam) => void navigate(`/portal/${exam.id}`)}
      old={old}
    />
  );
}

/** When an exam was made, or is to be: the device's own time, else the time it is ordered for. */
export function examTime(exam: Exam, now: number): string | null {
  const { study_date: date, study_time: time } = exam.study;
  if (date !== null) return formatStudyTime(date, time, now);
  return exam.scheduled_at === null ? null : formatShortTime(exam.scheduled_at, now);
}

function useColumns(): Column<Exam>[] {
  const { t } = useLanguage();
  const now = useMinute();
  return [
    {
      key: 'patient',
      heading: t('portal.column.patient'),
      width: '22%',
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
            {[examTime(exam, now), exam.study.accession_number].filter((part) => part !== null).join(' · ')}
          </div>
        </>
      ),
    },
    { key: 'progress', heading: t('portal.column.progress'), width: '36%', cell: (exam) => <Road exam={exam} /> },
    { key: 'report', heading: t('portal.column.report'), width: 132, cell: (exam) => <ReportLink exam={exam} /> },
  ];
}

function ReportLink({ exam }: { exam: Exam }) {
  const { t } = useLanguage();
  if (exam.report_version === null) return <span className="quiet">{t('portal.noReport')}</span>;
  const fresh = exam.steps.opened_at === null;
  const preliminary = exam.report_status === 'preliminary';
  return (
    <Link to={`/portal/${exam.id}`} className={`portal-report${fresh ? ' portal-report-new' : ''}`}>
      {t(preliminary ? 'portal.openPreliminary' : 'portal.openReport')}
    </Link>
  );
}
