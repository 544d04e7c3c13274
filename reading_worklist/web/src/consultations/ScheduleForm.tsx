import { App, Button, Input } from 'antd';
import { type SubmitEvent, useId, useState } from 'react';

import type { Consultation } from '../api/types';
import { isoMoment, localMoment } from '../design/moment';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { useConsultationAct } from './queries';

/** When the expert will look at it; before that it cannot be answered, and it may be said again. */
export function ScheduleForm({ consultation }: { consultation: Consultation }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync, isPending, error } = useConsultationAct(consultation.id);
  const [moment, setMoment] = useState(localMoment(consultation.scheduled_for));
  const momentId = useId();
  const schedule = async (at: string | null): Promise<void> => {
    if (at === null || isPending) return;
    try {
      await mutateAsync({ act: 'schedule', at });
      void message.success(t('consult.done.schedule'));
    } catch {
      // The notice below says why.
    }
  };
  const send = (event: SubmitEvent): void => {
    event.preventDefault();
    void schedule(isoMoment(moment));
  };
  return (
    <form className="consult-schedule" onSubmit={send}>
      <label htmlFor={momentId} className="critical-label">
        {t('consult.scheduled')}
      </label>
      <Input
        id={momentId}
        className="retake-moment"
        type="datetime-local"
        value={moment}
        onChange={(event) => setMoment(event.target.value)}
      />
      <Button htmlType="submit" disabled={moment === ''} loading={isPending}>
        {t(consultation.scheduled_for === null ? 'consult.act.schedule' : 'consult.act.reschedule')}
      </Button>
      {consultation.scheduled_for === null && (
        <Button type="primary" loading={isPending} onClick={() => void schedule(new Date().toISOString())}>
          {t('consult.act.now')}
        </Button>
      )}
      {error !== null && <ProblemNotice error={error} />}
    </form>
  );
}
