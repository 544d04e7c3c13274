import { App, Button, Input } from 'antd';
import { type SubmitEvent, useId, useState } from 'react';

import type { CriticalDetail } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { PersonOnPhone } from '../phone/PersonOnPhone';
import { useCriticalAct } from './queries';

/**
 * The read-back: typed, or put together from what was told with a press. By telephone the centre takes down who
 * said it.
 */
export function AcknowledgeForm({ value, byPhone }: { value: CriticalDetail; byPhone: boolean }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync, isPending } = useCriticalAct(value.id);
  const [text, setText] = useState('');
  const [who, setWho] = useState({ name: '', role: '' });
  const [refusal, setRefusal] = useState<unknown>(null);
  const textId = useId();
  const complete = text.trim() !== '' && (!byPhone || (who.name.trim() !== '' && who.role.trim() !== ''));
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!complete || isPending) return;
    setRefusal(null);
    try {
      await mutateAsync({
        act: 'acknowledge',
        body: { read_back: text.trim(), ...(byPhone ? { name: who.name.trim(), role: who.role.trim() } : {}) },
      });
      void message.success(t('critical.done.acknowledge'));
    } catch (error) {
      setRefusal(error);
    }
  };
  return (
    <form className="critical-form" onSubmit={(event) => void send(event)}>
      <h3 className="critical-heading">{t(byPhone ? 'critical.ack.byPhone' : 'critical.ack.title')}</h3>
      <p className="quiet">{t(byPhone ? 'critical.ack.phoneText' : 'critical.ack.text')}</p>
      {byPhone && <PersonOnPhone contacts={value.contacts} step={value.level} who={who} onWho={setWho} />}
      <label htmlFor={textId} className="critical-label">
        {t('critical.ack.readBack')}
      </label>
      <p className="critical-choices">
        {value.read_back_items.slice(0, 2).map((item) => (
          <Button key={item} size="small" onClick={() => setText((old) => (old.includes(item) ? old : item + old))}>
            {item}
          </Button>
        ))}
      </p>
      <Input.TextArea
        id={textId}
        rows={2}
        maxLength={2_000}
        value={text}
        placeholder={t('critical.ack.hint')}
        onChange={(event) => setText(event.target.value)}
      />
      {refusal !== null && <ProblemNotice error={refusal} />}
      <Button type="primary" danger size="large" htmlType="submit" disabled={!complete} loading={isPending}>
        {t(byPhone ? 'critical.ack.takeDown' : 'critical.ack.send')}
      </Button>
    </form>
  );
}
