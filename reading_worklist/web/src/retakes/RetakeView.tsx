import { App, Button, Skeleton } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';

import type { Retake } from '../api/types';
import { Chip, ModalityMark, PriorityMark } from '../design/Chip';
import { Countdown } from '../design/Due';
import { ProblemNotice } from '../design/Notice';
import { PatientName, SexAge } from '../design/PatientName';
import { ReasonDialog } from '../design/ReasonDialog';
import { useRefusal } from '../design/useRefusal';
import { formatClock, formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { CallDialog } from '../phone/CallDialog';
import { useContacts } from '../phone/queries';
import { isSite } from '../critical/words';
import { useSession } from '../session/session';
import { AnswerForm } from './AnswerForm';
import { useRetake, useRetakeAct } from './queries';
import { toneOf, whyOf } from './words';
import '../critical/critical.css';
import '../phone/phone.css';
import './retakes.css';

/** One retake: why, until when the site answers, what it said, and what came instead. */
export function RetakeView({ id, compact = false }: { id: string; compact?: boolean }) {
  const { data, isError, error, refetch } = useRetake(id);
  if (data !== undefined) return <Loaded retake={data} compact={compact} />;
  if (isError) return <ProblemNotice error={error} onRetry={() => void refetch()} />;
  return <Skeleton active paragraph={{ rows: compact ? 3 : 6 }} />;
}

function Loaded({ retake, compact }: { retake: Retake; compact: boolean }) {
  const { t, language } = useLanguage();
  const { data: session } = useSession();
  const site = isSite(session);
  const exams = site ? '/portal' : '/exams';
  return (
    <article className={`retake${compact ? ' retake-compact' : ''}`}>
      <header className="retake-head">
        <h2>{whyOf(language, retake)}</h2>
        <Chip tone={toneOf(retake.state)}>{t(`retake.state.${retake.state}`)}</Chip>
        {retake.kind === 'REJECTED_QUALITY' && <Chip tone="red">{t('retake.kind.REJECTED_QUALITY')}</Chip>}
        {retake.priority !== 'ROUTINE' && <PriorityMark priority={retake.priority} />}
        {retake.state === 'REQUESTED' && retake.due_at !== null && (
          <Countdown queuedAt={retake.requested_at} dueAt={retake.due_at} />
        )}
      </header>
      {!compact && (
        <p className="retake-patient">
          <strong>
            <PatientName patient={retake.patient} />
          </strong>
          <SexAge patient={retake.patient} />
          <span className="quiet">{retake.patient.local_id}</span>
          <ModalityMark
            lane={retake.study.modalities.includes('ECG') ? 'ecg' : 'imaging'}
            modalities={retake.study.modalities}
          />
          <span>{retake.study.description}</span>
          <span className="quiet">{siteName(language, retake.site)}</span>
          <Link to={`${exams}/${retake.workitem_id}`}>{t('retake.oldExam')}</Link>
        </p>
      )}
      <dl className="retake-facts">
        <Fact
          name={t('retake.requested')}
          value={`${retake.requested_by.display_name} · ${formatDateTime(retake.requested_at)}`}
        />
        {retake.called_name !== null && (
          <Fact name={t('retake.called')} value={`${retake.called_name} ${retake.called_phone ?? ''}`} />
        )}
        {retake.acknowledged_at !== null && (
          <Fact name={t('retake.acknowledged')} value={acknowledgedBy(retake, t('phone.byPhone'))} />
        )}
        {retake.answer !== null && <Fact name={t('retake.answer')} value={retake.answer} />}
        {retake.booked_for !== null && <Fact name={t('retake.bookedFor')} value={formatDateTime(retake.booked_for)} />}
        {retake.received_at !== null && <Fact name={t('retake.received')} value={formatDateTime(retake.received_at)} />}
      </dl>
      {retake.new_workitem_id !== null && (
        <p>
          <Link className="strong" to={`${exams}/${retake.new_workitem_id}`}>
            {t(retake.new_workitem_id === retake.workitem_id ? 'retake.completed' : 'retake.newExam')}
          </Link>
        </p>
      )}
      <RetakeActs retake={retake} site={site} />
      {retake.calls.length > 0 && (
        <section>
          <h3 className="critical-heading">{t('phone.calls')}</h3>
          <ol className="phone-calls">
            {retake.calls.map((one) => (
              <li key={one.at}>
                <time dateTime={one.at}>{formatClock(one.at)}</time> {one.contact_name} {one.contact_phone}{' '}
                <strong>{t(one.answered ? 'phone.reached' : 'phone.notReached')}</strong>{' '}
                <span className="quiet">{one.by.display_name}</span>
              </li>
            ))}
          </ol>
        </section>
      )}
    </article>
  );
}

/** Who answered and when: of the site by himself, or somebody on the telephone as the centre took it down. */
function acknowledgedBy(retake: Retake, byPhone: string): string {
  const at = retake.acknowledged_at === null ? '' : formatDateTime(retake.acknowledged_at);
  const by = retake.acknowledged_by?.display_name ?? '';
  if (retake.acknowledged_name === null) return `${by} · ${at}`;
  return `${retake.acknowledged_name} ${retake.acknowledged_role ?? ''} · ${at} (${byPhone} ${by})`;
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function RetakeActs({ retake, site }: { retake: Retake; site: boolean }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const refused = useRefusal();
  const { mutateAsync, isPending } = useRetakeAct(retake.id);
  const contacts = useContacts(retake.site.id);
  const [dialog, setDialog] = useState<'decline' | 'call' | null>(null);
  const can = (action: string): boolean => retake.actions.includes(action);
  const press = async (act: 'close' | 'cancel'): Promise<void> => {
    try {
      await mutateAsync({ act });
      void message.success(t(`retake.done.${act}`));
    } catch (error) {
      refused(error);
    }
  };
  return (
    <div className="retake-acts">
      {(can('acknowledge') || can('book')) && (
        <AnswerForm
          key={`${retake.state} ${retake.booked_for ?? ''}`}
          retake={retake}
          contacts={contacts.data ?? []}
          site={site}
        />
      )}
      <div className="critical-buttons">
        {can('close') && (
          <Button type="primary" loading={isPending} onClick={() => void press('close')}>
            {t('retake.act.close')}
          </Button>
        )}
        {can('call') && <Button onClick={() => setDialog('call')}>{t('critical.act.call')}</Button>}
        {can('decline') && <Button onClick={() => setDialog('decline')}>{t('retake.act.decline')}</Button>}
        {can('cancel') && (
          <Button loading={isPending} onClick={() => void press('cancel')}>
            {t('retake.act.cancel')}
          </Button>
        )}
      </div>
      {dialog === 'decline' && (
        <ReasonDialog
          title={t('retake.act.decline')}
          confirm={t('retake.act.decline')}
          onConfirm={async (reason) => {
            await mutateAsync({ act: 'decline', reason });
            void message.success(t('retake.done.decline'));
          }}
          onClose={() => setDialog(null)}
        >
          <p>{t('retake.explain.decline')}</p>
        </ReasonDialog>
      )}
      {dialog === 'call' && (
        <CallDialog
          contacts={contacts.data ?? []}
          step={0}
          onCall={(body) => mutateAsync({ act: 'call', body })}
          onClose={() => setDialog(null)}
        />
      )}
    </div>
  );
}
