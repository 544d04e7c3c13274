import { PhoneOutlined } from '@ant-design/icons';
import { Button, Skeleton } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';

import type { PhoneTask } from '../api/types';
import { Chip } from '../design/Chip';
import { useSecond } from '../design/clock';
import { Countdown } from '../design/Due';
import { Empty, ProblemNotice } from '../design/Notice';
import { PatientName, SexAge } from '../design/PatientName';
import { formatClock, formatDuration } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useCriticalAct } from '../critical/queries';
import { stepOf } from '../critical/words';
import { useRetakeAct } from '../retakes/queries';
import { whyOf } from '../retakes/words';
import { CallDialog, type Call } from './CallDialog';
import { usePhoneList } from './queries';

/** Everybody who has to be rung now, with what to say and what was tried. */
export function RingTab() {
  const { t } = useLanguage();
  const list = usePhoneList();
  if (list.isError) {
    return (
      <div className="page-problem">
        <ProblemNotice heading={t('phone.failed')} error={list.error} onRetry={() => void list.refetch()} />
      </div>
    );
  }
  if (list.data === undefined) {
    return (
      <div className="phone-tasks" aria-busy="true">
        <Skeleton active />
      </div>
    );
  }
  if (list.data.length === 0) {
    return (
      <div className="page-empty">
        <Empty title={t('phone.empty.title')} text={t('phone.empty.text')} />
      </div>
    );
  }
  return (
    <ol className="phone-tasks">
      {list.data.map((task) => (
        <li key={`${task.matter} ${task.subject_id}`}>
          <Task task={task} />
        </li>
      ))}
    </ol>
  );
}

function Task({ task }: { task: PhoneTask }) {
  const { t, language } = useLanguage();
  const [calling, setCalling] = useState(false);
  const critical = useCriticalAct(task.subject_id);
  const retake = useRetakeAct(task.subject_id);
  const { contacts } = task;
  const now = contacts.filter((one) => one.step === task.step);
  const keep = (call: Call): Promise<unknown> =>
    task.matter === 'retake'
      ? retake.mutateAsync({ act: 'call', body: call })
      : critical.mutateAsync({ act: 'call', body: call });
  const where = task.matter === 'retake' ? `/retakes/${task.subject_id}` : `/critical/${task.subject_id}`;
  return (
    <article className={`phone-task phone-${task.matter}`}>
      <header>
        <Chip tone={task.matter === 'critical' ? 'red' : 'amber'}>{t(`phone.matter.${task.matter}`)}</Chip>
        <h2>{siteName(language, task.site)}</h2>
        <span>
          <PatientName patient={task.patient} latin={false} /> <SexAge patient={task.patient} />
        </span>
        <span className="page-space" />
        {task.limit_at === null ? <Since at={task.since} /> : <Countdown queuedAt={task.since} dueAt={task.limit_at} />}
      </header>
      <div className="phone-columns">
        <section>
          <h3>{t('phone.ringNow', { step: t(`critical.step.${stepOf(task.step)}`) })}</h3>
          {now.length === 0 && <p className="danger">{t('phone.nobody')}</p>}
          <ul className="phone-numbers">
            {contacts.map((one) => (
              <li key={`${one.step} ${one.name} ${one.phone}`} className={one.step === task.step ? 'phone-now' : ''}>
                <a href={`tel:${one.phone}`}>
                  <PhoneOutlined /> {one.phone}
                </a>
                <strong>{one.name}</strong>
                <span className="quiet">
                  {one.role} · {t(`critical.step.${stepOf(one.step)}`)}
                </span>
              </li>
            ))}
          </ul>
        </section>
        <section>
          <h3>{t('phone.say')}</h3>
          <blockquote className="phone-say">
            {t(`phone.words.${task.matter}`, {
              site: siteName(language, task.site),
              patient: task.patient.name,
              exam: task.study.description ?? '',
              what: task.matter === 'retake' ? whyOf(language, { ...task, reason: saidOf(task) }) : task.what,
            })}
          </blockquote>
        </section>
        <section>
          <h3>{t('phone.calls')}</h3>
          {task.calls.length === 0 && <p className="quiet">{t('phone.noCalls')}</p>}
          <ol className="phone-calls">
            {task.calls.map((one) => (
              <li key={one.at}>
                <time dateTime={one.at}>{formatClock(one.at)}</time> {one.contact_name} {one.contact_phone}{' '}
                <strong>{t(one.answered ? 'phone.reached' : 'phone.notReached')}</strong>{' '}
                <span className="quiet">
                  {one.by.display_name}
                  {one.note !== null && ` · ${one.note}`}
                </span>
              </li>
            ))}
          </ol>
        </section>
      </div>
      <footer>
        <Button onClick={() => setCalling(true)}>{t('critical.act.call')}</Button>
        <Link to={where} className="phone-take">
          {t(`phone.take.${task.matter}`)}
        </Link>
      </footer>
      {calling && <CallDialog contacts={contacts} step={task.step} onCall={keep} onClose={() => setCalling(false)} />}
    </article>
  );
}

/** What was said of a retake besides the item of the list, which stands for it where nothing was. */
function saidOf(task: PhoneTask): string {
  return task.what === task.reason_code ? '' : task.what;
}

function Since({ at }: { at: string }) {
  const { t, language } = useLanguage();
  return (
    <span className="quiet">{t('phone.since', { time: formatDuration(language, useSecond() - Date.parse(at)) })}</span>
  );
}
