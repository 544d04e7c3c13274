import { ArrowLeftOutlined } from '@ant-design/icons';
import { Button, Skeleton } from 'antd';
import { Link, useNavigate, useParams } from 'react-router';

import type { LedgerDetail } from '../api/types';
import { Chip, DeliveryChip, ModalityMark, PriorityMark } from '../design/Chip';
import { useMinute } from '../design/clock';
import { ProblemNotice } from '../design/Notice';
import { PatientName, SexAge } from '../design/PatientName';
import { Steps } from '../design/Steps';
import { isPlainKey } from '../i18n/catalogue';
import { deliveryWords } from '../i18n/deliveryError';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { examTime } from '../portal/ExamTable';
import { Road } from '../portal/Road';
import { useSession } from '../session/session';
import { useOpensDeliveries } from './opensDeliveries';
import { useLedgerLine } from './queries';
import { Reasons } from './Reasons';
import { Recipients } from './Recipients';
import './ledger.css';

/** One exam with everything that was done about it, on either side. */
export function LedgerDetailPage() {
  const { id = '' } = useParams();
  const { t } = useLanguage();
  const line = useLedgerLine(id);
  if (line.isError) {
    return (
      <div className="page-problem">
        <h1 className="visually-hidden">{t('ledger.detail.failed')}</h1>
        <ProblemNotice error={line.error} onRetry={() => void line.refetch()} />
        <Link to="/ledger">{t('ledger.title')}</Link>
      </div>
    );
  }
  if (line.data === undefined) {
    return (
      <div className="page-problem" aria-busy="true">
        <Skeleton active paragraph={{ rows: 8 }} />
      </div>
    );
  }
  return <Exam line={line.data} />;
}

function Exam({ line }: { line: LedgerDetail }) {
  const { t, language } = useLanguage();
  const now = useMinute();
  const navigate = useNavigate();
  return (
    <div className="page">
      <div className="page-head">
        <Button type="text" icon={<ArrowLeftOutlined />} aria-label={t('app.back')} onClick={() => void navigate(-1)} />
        <h1>
          <PatientName patient={line.patient} />
        </h1>
        <SexAge patient={line.patient} />
        <span className="quiet">{line.patient.local_id}</span>
        <ModalityMark lane={line.lane} modalities={line.study.modalities} />
        <span>{line.study.description ?? t('worklist.noDescription')}</span>
        {line.priority !== 'ROUTINE' && <PriorityMark priority={line.priority} />}
        <span className="quiet">
          {[siteName(language, line.site), examTime(line, now), line.study.accession_number]
            .filter((part) => part !== null)
            .join(' · ')}
        </span>
        <span className="page-space" />
        <ExamLink line={line} />
      </div>
      <div className="ledger-detail">
        <div className="ledger-main">
          {line.stuck.length === 0 ? (
            <p className="quiet">{t('ledger.detail.fine')}</p>
          ) : (
            <section className="ledger-stuck" aria-label={t('ledger.column.stuck')}>
              <Reasons reasons={line.stuck} full />
            </section>
          )}
          <Deliveries line={line} />
          <Recipients recipients={line.recipients} />
          <Openings line={line} />
          <Versions line={line} />
        </div>
        <aside className="ledger-side">
          <Road exam={line} />
          <h2>{t('ledger.detail.road')}</h2>
          <Steps
            times={[
              ['road.ordered', line.steps.ordered_at],
              ['road.checked_in', line.steps.checked_in_at],
              ['road.acquired', line.steps.acquired_at],
              ['ledger.step.first', line.steps.received_at],
              ['road.received', line.steps.complete_at],
              ['ledger.step.queued', line.steps.queued_at],
              ['road.reading', line.steps.reading_since],
              ['ledger.step.written', line.written_at],
              ['ledger.step.reviewed', line.reviewed_at],
              ['road.signed', line.steps.signed_at],
              ['road.delivered', line.steps.delivered_at],
              ['road.opened', line.steps.opened_at],
            ]}
          />
          {line.kept !== null && (
            <>
              <h2>{t('ledger.detail.images')}</h2>
              <p>
                {t(`ledger.kept.${line.kept}`)}{' '}
                <span className="quiet">
                  {line.study.expected_count === null
                    ? t('road.received.some', { n: line.study.instance_count })
                    : t('road.received.of', { n: line.study.instance_count, total: line.study.expected_count })}
                </span>
              </p>
            </>
          )}
        </aside>
      </div>
    </div>
  );
}

const READERS = ['writer', 'reviewer', 'dispatcher', 'consortium_admin', 'quality_controller'];
const SITE = ['site_doctor', 'site_technician'];

/** The page on which this person works on the exam, if there is one. */
function ExamLink({ line }: { line: LedgerDetail }) {
  const { t } = useLanguage();
  const { data: session } = useSession();
  const roles = session?.roles ?? [];
  if (roles.some((role) => SITE.includes(role))) {
    return <Link to={`/portal/${line.id}`}>{t('ledger.detail.exam')}</Link>;
  }
  if (line.workitem_id !== null && roles.some((role) => READERS.includes(role))) {
    return <Link to={`/exams/${line.workitem_id}`}>{t('ledger.detail.exam')}</Link>;
  }
  return null;
}

function Deliveries({ line }: { line: LedgerDetail }) {
  const { t, language } = useLanguage();
  const opens = useOpensDeliveries();
  if (line.versions.length === 0) return null;
  return (
    <section aria-labelledby="ledger-deliveries">
      <h2 id="ledger-deliveries">{t('ledger.detail.deliveries')}</h2>
      {line.deliveries.length === 0 && <p className="quiet">{t('ledger.detail.noDeliveries')}</p>}
      <ul className="ledger-list">
        {line.deliveries.map((delivery) => {
          const met = delivery.last_error === null ? null : deliveryWords(language, delivery.last_error);
          return (
            <li key={delivery.id}>
              <div className="ledger-row">
                <DeliveryChip state={delivery.state} />
                {opens ? (
                  <Link to={`/deliveries?open=${delivery.id}`}>{delivery.destination}</Link>
                ) : (
                  delivery.destination
                )}
                <span className="quiet">
                  {delivery.is_notice ? t('ledger.notice') : t('ledger.version', { n: delivery.version_number })}
                </span>
                <span className="quiet">
                  {delivery.delivered_at === null
                    ? t('timeline.attempts', { n: delivery.attempts })
                    : formatDateTime(delivery.delivered_at)}
                </span>
              </div>
              {met !== null && (
                <p className={['DELIVERED', 'CANCELED'].includes(delivery.state) ? 'quiet' : 'danger'}>{met.title}</p>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Openings({ line }: { line: LedgerDetail }) {
  const { t } = useLanguage();
  if (line.versions.length === 0) return null;
  return (
    <section aria-labelledby="ledger-openings">
      <h2 id="ledger-openings">{t('ledger.detail.openings')}</h2>
      {line.openings.length === 0 && <p className="quiet">{t('ledger.detail.noOpenings')}</p>}
      <ul className="ledger-list">
        {line.openings.map((one) => (
          <li key={`${one.who} ${one.version_number}`} className="ledger-row">
            <strong>{one.who}</strong>
            {one.machine && <span className="quiet">{t('ledger.machine')}</span>}
            <span className="quiet">{t('ledger.version', { n: one.version_number })}</span>
            <span>{formatDateTime(one.at)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Versions({ line }: { line: LedgerDetail }) {
  const { t } = useLanguage();
  const { data: session } = useSession();
  const audits = session?.roles.includes('auditor') === true;
  if (line.versions.length === 0) return null;
  return (
    <section aria-labelledby="ledger-versions">
      <h2 id="ledger-versions">{t('ledger.detail.versions')}</h2>
      <ul className="ledger-list">
        {line.versions.map((one) => {
          const status = `portal.status.${one.status}`;
          return (
            <li key={one.id} className="ledger-row">
              <strong>{t('ledger.version', { n: one.number })}</strong>
              <span>{isPlainKey(status) ? t(status) : one.status}</span>
              <span className="quiet">{formatDateTime(one.issued_at)}</span>
              {one.recalled === null ? (
                <Chip tone="green">{t('ledger.stands')}</Chip>
              ) : (
                <Chip tone={one.recalled === 'revoked' ? 'red' : 'slate'}>
                  {t(`portal.recall.${one.recalled}.word`)}
                </Chip>
              )}
              {audits && one.recalled !== null && (
                <a href={`/api/reports/${one.id}/pdf`} target="_blank" rel="noreferrer">
                  {t('ledger.detail.old')}
                </a>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
