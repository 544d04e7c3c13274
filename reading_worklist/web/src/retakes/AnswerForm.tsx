import { App, Button, Input } from 'antd';
import { type SubmitEvent, useId, useState } from 'react';

import type { CriticalContact, Retake } from '../api/types';
import { isoMoment, localMoment } from '../design/moment';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { PersonOnPhone } from '../phone/PersonOnPhone';
import { useRetakeAct } from './queries';

/** The site's answer, and for when it is booked; by telephone the centre takes down who gave it. */
export function AnswerForm({
  retake,
  contacts,
  site,
}: {
  retake: Retake;
  contacts: readonly CriticalContact[];
  site: boolean;
}) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync, isPending } = useRetakeAct(retake.id);
  const booking = !retake.actions.includes('acknowledge');
  const [text, setText] = useState('');
  const [moment, setMoment] = useState(localMoment(retake.booked_for));
  const [who, setWho] = useState({ name: '', role: '' });
  const [refusal, setRefusal] = useState<unknown>(null);
  const ids = { text: useId(), moment: useId() };
  const named = site || (who.name.trim() !== '' && who.role.trim() !== '');
  const complete = booking ? moment !== '' : named;
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!complete || isPending) return;
    const bookedFor = isoMoment(moment);
    setRefusal(null);
    try {
      if (booking && bookedFor !== null) {
        await mutateAsync({ act: 'book', bookedFor });
        void message.success(t('retake.done.book'));
      } else {
        await mutateAsync({
          act: 'acknowledge',
          body: {
            answer: text.trim(),
            booked_for: bookedFor,
            ...(site ? {} : { name: who.name.trim(), role: who.role.trim() }),
          },
        });
        void message.success(t('retake.done.acknowledge'));
      }
    } catch (error) {
      setRefusal(error);
    }
  };
  return (
    <form className="critical-form" onSubmit={(event) => void send(event)}>
      <h3 className="critical-heading">
        {t(booking ? 'retake.form.book' : site ? 'retake.form.site' : 'retake.form.phone')}
      </h3>
      {!site && <PersonOnPhone contacts={contacts} step={0} who={who} onWho={setWho} />}
      <label htmlFor={ids.moment} className="critical-label">
        {t('retake.bookedFor')}
      </label>
      <Input
        id={ids.moment}
        className="retake-moment"
        type="datetime-local"
        value={moment}
        onChange={(event) => setMoment(event.target.value)}
      />
      {!booking && (
        <>
          <label htmlFor={ids.text} className="critical-label">
            {t('retake.answerOptional')}
          </label>
          <Input
            id={ids.text}
            maxLength={200}
            value={text}
            placeholder={t('retake.answerHint')}
            onChange={(event) => setText(event.target.value)}
          />
        </>
      )}
      {refusal !== null && <ProblemNotice error={refusal} />}
      <Button type="primary" htmlType="submit" disabled={!complete} loading={isPending}>
        {t(booking ? 'retake.act.book' : site ? 'retake.act.acknowledge' : 'critical.ack.takeDown')}
      </Button>
    </form>
  );
}
