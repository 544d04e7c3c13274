import { ArrowLeftOutlined, PictureOutlined, PrinterOutlined } from '@ant-design/icons';
import { Button, Skeleton } from 'antd';
import { useRef } from 'react';
import { Link, useNavigate, useParams } from 'react-router';

import { keys } from '../api/keys';
import type { ExamDetail } from '../api/types';
import { ModalityMark, PriorityMark } from '../design/Chip';
import { useMinute } from '../design/clock';
import { Empty, ProblemNotice } from '../design/Notice';
import { PatientName, SexAge } from '../design/PatientName';
import { PdfFrame } from '../design/PdfFrame';
import { DeliverySteps, Steps } from '../design/Steps';
import { useLanguage } from '../i18n/language';
import { ExamConsultations } from '../consultations/ConsultationPanel';
import { ExamCriticalValues } from '../critical/SiteCriticalValues';
import { EcgQuality } from '../ecgquality/EcgQuality';
import { EmergencyTimes } from '../emergency/EmergencyTimes';
import { NotesThread } from '../notes/NotesThread';
import { QualityFeedback } from '../quality/QualityFeedback';
import { ExamRetakes } from '../retakes/SiteRetakes';
import { ExamRequest } from './ExamRequest';
import { examTime } from './ExamTable';
import { KeptMark } from './KeptMark';
import { useExam, useHome } from './queries';
import { Recalls } from './Recalls';
import { ReportVersions } from './ReportVersions';
import { ROAD } from './road';
import { Road } from './Road';
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
        <Link to="/site-exams">{t('portal.title')}</Link>
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
  const now = useMinute();
  const navigate = useNavigate();
  const home = useHome();
  const document = useRef<HTMLElement>(null);
  const print = (): void => document.current?.querySelector('iframe')?.contentWindow?.print();
  return (
    <div className="page">
      <div className="page-head">
        <Button type="text" icon={<ArrowLeftOutlined />} aria-label={t('app.back')} onClick={() => void navigate(-1)} />
        <h1>
          <PatientName patient={exam.patient} />
        </h1>
        <SexAge patient={exam.patient} />
        <span className="quiet">{exam.patient.local_id}</span>
        <ModalityMark lane={exam.lane} modalities={exam.study.modalities} />
        <span>{exam.study.description ?? t('worklist.noDescription')}</span>
        {exam.priority !== 'ROUTINE' && <PriorityMark priority={exam.priority} />}
        <span className="quiet">
          {[examTime(exam, now), exam.study.accession_number].filter((part) => part !== null).join(' · ')}
        </span>
        <span className="page-space" />
        {exam.viewer_url !== null && exam.step !== 'receiving' && (
          <Button href={exam.viewer_url} target="_blank" rel="noreferrer" icon={<PictureOutlined />}>
            {t('portal.images')}
          </Button>
        )}
        {exam.report_version !== null && (
          <Button icon={<PrinterOutlined />} onClick={print}>
            {t('portal.print')}
          </Button>
        )}
      </div>
      <div className="portal-exam">
        <section ref={document} className="portal-document" aria-label={t('portal.report')}>
          {exam.workitem_id === null || exam.report_version === null ? (
            <Empty title={t('portal.noReport')} text={t('portal.waiting')} />
          ) : (
            <PdfFrame
              title={t('portal.reportTitle')}
              address={`/api/portal/exams/${exam.workitem_id}/report`}
              queryKey={keys.portalReport(exam.workitem_id, exam.report_version)}
            />
          )}
        </section>
        <aside className="portal-side">
          <Recalls
            notices={(home.data?.recalls ?? []).filter((one) => one.workitem_id === exam.workitem_id)}
            linked={false}
          />
          {exam.workitem_id !== null && exam.lane === 'ecg' && <EcgQuality id={exam.workitem_id} />}
          {exam.workitem_id !== null && (
            <EmergencyTimes id={exam.workitem_id} enabled={exam.lane === 'ecg' && exam.priority === 'STAT'} />
          )}
          <Road exam={exam} />
          {exam.workitem_id !== null && <ExamCriticalValues workitem={exam.workitem_id} />}
          {exam.workitem_id !== null && <ExamRetakes workitem={exam.workitem_id} />}
          <KeptMark id={exam.id} />
          {exam.workitem_id !== null && <QualityFeedback id={exam.workitem_id} />}
          <ExamRequest exam={exam} />
          {exam.workitem_id !== null && (
            <>
              <h2>{t('consult.title')}</h2>
              <ExamConsultations workitem={exam.workitem_id} />
            </>
          )}
          <h2>{t('portal.notes')}</h2>
          <NotesThread examId={exam.id} />
          <h2>{t('timeline.title')}</h2>
          <Steps times={ROAD.map(([stop, member]) => [`road.${stop}`, exam.steps[member]] as const)} />
          <ReportVersions reports={exam.reports} />
          <DeliverySteps deliveries={exam.deliveries} />
        </aside>
      </div>
    </div>
  );
}
