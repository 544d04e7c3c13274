import { App, Button, Input, Modal, Rate, Skeleton } from 'antd';
import { Suspense, useId, useState } from 'react';

import type { Consultation } from '../api/types';
import { Loading } from '../app/Loading';
import { Chip, ModalityMark } from '../design/Chip';
import { Countdown } from '../design/Due';
import { ProblemNotice } from '../design/Notice';
import { lazyPart } from '../design/Part';
import { PatientName, SexAge } from '../design/PatientName';
import { ReasonDialog } from '../design/ReasonDialog';
import { useRefusal } from '../design/useRefusal';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useSession } from '../session/session';
import { OpinionForm } from './OpinionForm';
import { useConsultation, useConsultationAct } from './queries';
import { ScheduleForm } from './ScheduleForm';
import { isUnanswered, toneOf } from './words';
import '../critical/critical.css';
import '../phone/phone.css';
import '../retakes/retakes.css';
import './consultations.css';

const EcgPane = lazyPart(async () => (await import('../ecg/EcgPane')).EcgPane);

/** One consultation as applicant and expert see it. */
export function ConsultationView({ id, compact = false }: { id: string; compact?: boolean }) {
  const { data, isError, error, refetch } = useConsultation(id);
  if (data !== undefined) return <Loaded consultation={data} compact={compact} />;
  if (isError) return <ProblemNotice error={error} onRetry={() => void refetch()} />;
  return <Skeleton active paragraph={{ rows: compact ? 3 : 8 }} />;
}

function Loaded({ consultation, compact }: { consultation: Consultation; compact: boolean }) {
  const { t, language } = useLanguage();
  const { data: session } = useSession();
  const expert = consultation.invitee.id === session?.person.id;
  const ecg = consultation.lane === 'ecg';
  return (
    <article className={`consultation${compact ? ' consultation-compact' : ''}`}>
      <header className="retake-head">
        <h2>{consultation.purpose}</h2>
        <Chip tone={toneOf(consultation.state)}>{t(`consult.state.${consultation.state}`)}</Chip>
        {consultation.urgency === 'urgent' && <Chip tone="red">{t('consult.urgency.urgent')}</Chip>}
        {isUnanswered(consultation) && <Countdown queuedAt={consultation.applied_at} dueAt={consultation.due_at} />}
      </header>
      {!compact && (
        <p className="retake-patient">
          <strong>
            <PatientName patient={consultation.patient} />
          </strong>
          <SexAge patient={consultation.patient} />
          <span className="quiet">{consultation.patient.local_id}</span>
          <ModalityMark lane={consultation.lane} modalities={consultation.study.modalities} />
          <span>{consultation.study.description}</span>
          <span className="quiet">{siteName(language, consultation.site)}</span>
          {!ecg && consultation.viewer_url !== null && (
            <a className="consult-images" href={consultation.viewer_url} target="_blank" rel="noreferrer">
              {t('consult.images')}
            </a>
          )}
          {consultation.viewer_url === null && <span className="quiet">{t('consult.imagesClosed')}</span>}
        </p>
      )}
      <dl className="retake-facts">
        <Fact name={t('consult.summary')} value={consultation.summary} />
        <Fact name={t('consult.reason')} value={consultation.reason} />
        <Fact name={t('consult.specialty')} value={consultation.specialty} />
        <Fact name={t(`consult.consent.${consultation.consent_basis}`)} value={consultation.consent_note} />
        <Fact
          name={t('consult.applied')}
          value={`${consultation.applied_by.display_name} · ${formatDateTime(consultation.applied_at)}`}
        />
        <Fact name={t('consult.expert')} value={consultation.invitee.display_name} />
        {consultation.scheduled_for !== null && (
          <Fact name={t('consult.scheduled')} value={formatDateTime(consultation.scheduled_for)} />
        )}
        {consultation.decline_reason !== null && (
          <Fact name={t('consult.declined')} value={consultation.decline_reason} />
        )}
      </dl>
      {ecg && expert && consultation.viewer_url !== null && !compact && (
        <div className="consult-ecg">
          <Suspense fallback={<Loading />}>
            <EcgPane id={consultation.workitem_id} />
          </Suspense>
        </div>
      )}
      {consultation.opinion !== null && <Opinion consultation={consultation} />}
      <Acts consultation={consultation} expert={expert} />
    </article>
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

/** The opinion as it was signed, and whether it still is what was signed. */
function Opinion({ consultation }: { consultation: Consultation }) {
  const { t } = useLanguage();
  return (
    <section className="consult-opinion" aria-label={t('consult.opinion')}>
      <h3 className="critical-heading">{t('consult.opinion')}</h3>
      <p>{consultation.opinion}</p>
      <p className="quiet small">
        {consultation.invitee.display_name}
        {consultation.signed_at !== null && ` · ${formatDateTime(consultation.signed_at)} `}
        {consultation.signature_holds === true && <Chip tone="green">{t('consult.signatureHolds')}</Chip>}
        {consultation.signature_holds === false && <Chip tone="red">{t('consult.signatureBroken')}</Chip>}
      </p>
      {consultation.rating !== null && (
        <p>
          <Rate disabled value={consultation.rating} /> {consultation.rating_comment}
        </p>
      )}
    </section>
  );
}

function Acts({ consultation, expert }: { consultation: Consultation; expert: boolean }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const refused = useRefusal();
  const { mutateAsync, isPending } = useConsultationAct(consultation.id);
  const [dialog, setDialog] = useState<'decline' | 'rate' | null>(null);
  const can = (action: string): boolean => consultation.actions.includes(action);
  const press = async (act: 'accept' | 'archive'): Promise<void> => {
    try {
      await mutateAsync({ act });
      void message.success(t(`consult.done.${act}`));
    } catch (error) {
      refused(error);
    }
  };
  return (
    <div className="retake-acts">
      {can('schedule') && <ScheduleForm key={consultation.scheduled_for} consultation={consultation} />}
      {can('sign_opinion') && <OpinionForm consultation={consultation} />}
      <div className="critical-buttons">
        {can('accept') && (
          <Button type="primary" loading={isPending} onClick={() => void press('accept')}>
            {t('consult.act.accept')}
          </Button>
        )}
        {can('decline') && <Button onClick={() => setDialog('decline')}>{t('consult.act.decline')}</Button>}
        {can('archive') && (
          <Button type="primary" loading={isPending} onClick={() => void press('archive')}>
            {t('consult.act.archive')}
          </Button>
        )}
        {can('rate') && <Button onClick={() => setDialog('rate')}>{t('consult.act.rate')}</Button>}
      </div>
      {can('archive') && !expert && <p className="quiet small">{t('consult.archiveCloses')}</p>}
      {dialog === 'decline' && (
        <ReasonDialog
          title={t('consult.act.decline')}
          confirm={t('consult.act.decline')}
          onConfirm={async (reason) => {
            await mutateAsync({ act: 'decline', reason });
            void message.success(t('consult.done.decline'));
          }}
          onClose={() => setDialog(null)}
        >
          <p>{t('consult.explain.decline')}</p>
        </ReasonDialog>
      )}
      {dialog === 'rate' && <RateDialog consultation={consultation} onClose={() => setDialog(null)} />}
    </div>
  );
}

function RateDialog({ consultation, onClose }: { consultation: Consultation; onClose: () => void }) {
  const { t } = useLanguage();
  const { mutateAsync, isPending, error } = useConsultationAct(consultation.id);
  const [rating, setRating] = useState(0);
  const [comment, setComment] = useState('');
  const commentId = useId();
  const send = async (): Promise<void> => {
    if (rating === 0) return;
    try {
      await mutateAsync({ act: 'rate', rating, comment: comment.trim() });
      onClose();
    } catch {
      // The notice below says why.
    }
  };
  return (
    <Modal
      open
      width={440}
      title={t('consult.act.rate')}
      okText={t('consult.act.rate')}
      okButtonProps={{ disabled: rating === 0 }}
      cancelText={t('app.cancel')}
      confirmLoading={isPending}
      onOk={() => void send()}
      onCancel={onClose}
    >
      <p>{t('consult.rateText')}</p>
      <Rate aria-label={t('consult.act.rate')} value={rating} onChange={setRating} />
      <label htmlFor={commentId} className="reason-label">
        {t('reason.optional')}
      </label>
      <Input.TextArea
        id={commentId}
        rows={2}
        maxLength={2_000}
        value={comment}
        onChange={(event) => setComment(event.target.value)}
      />
      {error !== null && <ProblemNotice error={error} />}
    </Modal>
  );
}
