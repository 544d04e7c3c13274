import { Skeleton } from 'antd';
import { type ReactNode, useId } from 'react';
import { Link } from 'react-router';

import type { Exam, ExamPage, Home } from '../api/types';
import { SiteCriticalValues } from '../critical/SiteCriticalValues';
import { ModalityMark } from '../design/Chip';
import { useMinute } from '../design/clock';
import { Empty, ProblemNotice } from '../design/Notice';
import { PatientName, SexAge } from '../design/PatientName';
import { formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { whyOf } from '../retakes/words';
import { ExamTable } from './ExamTable';
import { ALL_EXAMS, parametersFrom } from './filters';
import { useUnreadNotes } from '../notes/queries';
import { useExams, useHome } from './queries';
import { Recalls } from './Recalls';
import { stepSince } from './road';
import { Attention } from './Road';
import './portal.css';

const LATEST = 8;
const NOTES_SHOWN = 5;

/** Where the people of a site begin: what needs them now, and the newest exams. */
export function PortalPage() {
  const { t } = useLanguage();
  const home = useHome();
  const latest = useExams(ALL_EXAMS, LATEST);
  return (
    <div className="page portal-home">
      <section aria-labelledby="portal-now" className="portal-now">
        <h1 id="portal-now">{t('portal.now')}</h1>
        {home.isError && (
          <ProblemNotice heading={t('portal.now.failed')} error={home.error} onRetry={() => void home.refetch()} />
        )}
        {home.data === undefined ? (
          !home.isError && <Skeleton active paragraph={{ rows: 3 }} />
        ) : (
          <Now home={home.data} />
        )}
      </section>
      <section aria-labelledby="portal-latest" className="portal-latest">
        <div className="portal-latest-head">
          <h2 id="portal-latest">{t('portal.latest')}</h2>
          <Link to="/site-exams">{t('portal.allExams')}</Link>
        </div>
        {latest.isError && (
          <ProblemNotice heading={t('portal.failed')} error={latest.error} onRetry={() => void latest.refetch()} />
        )}
        {latest.data?.total === 0 ? (
          <Empty title={t('portal.empty.title')} text={t('portal.empty.text')} />
        ) : (
          <ExamTable label={t('portal.latest')} exams={latest.data?.items ?? (latest.isError ? [] : null)} />
        )}
      </section>
    </div>
  );
}

function Now({ home }: { home: Home }) {
  const { t, language } = useLanguage();
  const now = useMinute();
  const { retakes, attention, unopened, late, recalls, critical } = home;
  const notes = useUnreadNotes().data ?? [];
  const lists = [retakes, attention, unopened, late, critical];
  const waits = recalls.length + notes.length + lists.reduce((sum, list) => sum + list.total, 0);
  if (waits === 0) return <p className="portal-nothing">{t('portal.now.nothing')}</p>;
  return (
    <>
      {critical.total > 0 && <SiteCriticalValues />}
      <Recalls notices={recalls} linked />
      <div className="portal-cards">
        {retakes.total > 0 && (
          <Card title={t('portal.now.retakes')} total={retakes.total} all="/retakes">
            {retakes.items.map((one) => (
              <li key={one.id}>
                <Link to={`/portal/${one.workitem_id}`}>
                  <PatientName patient={one.patient} latin={false} />
                </Link>
                <SexAge patient={one.patient} />
                <span className="portal-card-text">{whyOf(language, one)}</span>
                <span className="quiet">{formatShortTime(one.requested_at, now)}</span>
              </li>
            ))}
          </Card>
        )}
        <ExamCard title={t('portal.now.attention')} page={attention} more="attention" />
        <ExamCard title={t('portal.now.unopened')} page={unopened} more="unopened" />
        <ExamCard title={t('portal.now.late')} page={late} more="late" />
        {notes.length > 0 && (
          <Card title={t('portal.now.notes')} total={notes.length}>
            {notes.slice(0, NOTES_SHOWN).map((note) => (
              <li key={note.exam_id}>
                <Link to={`/portal/${note.exam_id}`}>{note.patient_name}</Link>
                <span className="portal-card-text">{note.last_text}</span>
                <span className="quiet">{formatShortTime(note.last_at, now)}</span>
              </li>
            ))}
          </Card>
        )}
      </div>
    </>
  );
}

type More = 'attention' | 'unopened' | 'late';

function ExamCard({ title, page, more }: { title: string; page: ExamPage; more: More }) {
  if (page.total === 0) return null;
  return (
    <Card
      title={title}
      total={page.total}
      all={`/site-exams?${parametersFrom({ ...ALL_EXAMS, needs: more }).toString()}`}
    >
      {page.items.map((exam) => (
        <li key={exam.id}>
          <Link to={`/portal/${exam.id}`}>
            <PatientName patient={exam.patient} latin={false} />
          </Link>
          <SexAge patient={exam.patient} />
          <ExamWords exam={exam} />
        </li>
      ))}
    </Card>
  );
}

function ExamWords({ exam }: { exam: Exam }) {
  const { t } = useLanguage();
  const now = useMinute();
  const since = stepSince(exam) ?? exam.scheduled_at;
  return (
    <>
      <span className="portal-card-text">
        <ModalityMark lane={exam.lane} modalities={exam.study.modalities} />{' '}
        {exam.study.description ?? t('worklist.noDescription')}
      </span>
      <Attention exam={exam} />
      <span className="quiet">{since === null ? '' : formatShortTime(since, now)}</span>
    </>
  );
}

interface CardProps {
  title: string;
  total: number;
  /** The address of the whole list, where there is one. */
  all?: string;
  children: ReactNode;
}

/** One kind of thing that waits: the first few, and the way to all of them. */
function Card({ title, total, all, children }: CardProps) {
  const { t } = useLanguage();
  const id = useId();
  return (
    <section className="portal-card" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        <span className="portal-count">{total}</span>
        <span className="page-space" />
        {all !== undefined && <Link to={all}>{t('portal.more')}</Link>}
      </header>
      <ul>{children}</ul>
    </section>
  );
}
