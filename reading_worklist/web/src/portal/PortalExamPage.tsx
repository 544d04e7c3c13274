import { ArrowLeftOutlined } from '@ant-design/icons';
import { Button, Skeleton } from 'antd';
import { Link, useNavigate, useParams } from 'react-router';

import { keys } from '../api/keys';
import type { ExamDetail } from '../api/types';
import { ModalityMark } from '../design/Chip';
import { Empty, ProblemNotice } from '../design/Notice';
import { PatientName, SexAge } from '../design/PatientName';
import { PdfFrame } from '../design/PdfFrame';
import { DeliverySteps, Steps } from '../design/Steps';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { QualityFeedback } from '../quality/QualityFeedback';
import { useExam } from './queries';
import { ROAD } from './road';
import './portal.css';

/** One exam of the site: its report and its road. Showing the report is what counts as having opened it. */
export function PortalExamPage() {
  const { id = '' } = useParams();
  const { t } = useLanguage();
  const exam = useExam(id);
  if (exam.isError) {
    return (
      <div className="portal-failed">
        <h1 className="visually-hidden">{t('portal.failed')}</h1>
        <ProblemNotice error={exam.error} onRetry={() => void exam.refetch()} />
        <Link to="/portal">{t('portal.title')}</Link>
      </div>
    );
  }
  if (exam.data === undefined) {
    return (
      <div className="portal-failed" aria-busy="true">
        <Skeleton active paragraph={{ rows: 8 }} />
      </div>
    );
  }
  return <ExamView exam={exam.data} />;
}

function ExamView({ exam }: { exam: ExamDetail }) {
  const { t } = useLanguage();
  const navigate = useNavigate();
  return (
    <div className="page">
      <div className="page-head">
        <Button
          type="text"
          icon={<ArrowLeftOutlined />}
          aria-label={t('app.back')}
          onClick={() => void navigate('/portal')}
        />
        <h1>
          <PatientName patient={exam.patient} />
        </h1>
        <SexAge patient={exam.patient} />
        <span className="quiet">{exam.patient.local_id}</span>
        <ModalityMark lane={exam.lane} modalities={exam.study.modalities} />
        <span>{exam.study.description ?? t('worklist.noDescription')}</span>
        <span className="quiet">{exam.study.study_date}</span>
      </div>
      <div className="portal-exam">
        <section className="portal-document" aria-label={t('portal.report')}>
          {exam.report_version === null ? (
            <Empty title={t('portal.noReport')} text={t('portal.waiting')} />
          ) : (
            <PdfFrame
              title={t('portal.reportTitle')}
              address={`/api/portal/exams/${exam.id}/report`}
              queryKey={keys.portalReport(exam.id, exam.report_version)}
            />
          )}
        </section>
        <aside className="portal-side">
          <QualityFeedback id={exam.id} />
          <h2>{t('timeline.title')}</h2>
          <Steps times={ROAD.map(([name, member]) => [`road.${name}`, exam.steps[member]] as const)} />
          {exam.reports.map((report) => (
            <dl key={report.version_id} className="portal-facts">
              <Fact name={t('final.version', { n: report.number })} value={formatDateTime(report.issued_at)} />
              <Fact name={t('review.writer')} value={report.writer} />
              {report.reviewer !== null && <Fact name={t('final.reviewer')} value={report.reviewer} />}
              <Fact
                name={t('portal.column.report')}
                value={
                  report.opened_at === null
                    ? t('portal.notOpened')
                    : t('portal.opened', { time: formatDateTime(report.opened_at) })
                }
              />
            </dl>
          ))}
          <DeliverySteps deliveries={exam.deliveries} />
        </aside>
      </div>
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
