import { App, Button, Input } from 'antd';
import { type SubmitEvent, useId, useState } from 'react';

import type { CriticalDetail } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { useCriticalAct } from './queries';

/** What the site has done about it; told by telephone, with the name of who told it. */
export function ActionForm({ value, byPhone }: { value: CriticalDetail; byPhone: boolean }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync, isPending } = useCriticalAct(value.id);
  const [text, setText] = useState('');
  const [name, setName] = useState(byPhone ? (value.acknowledged_name ?? '') : '');
  const [refusal, setRefusal] = useState<unknown>(null);
  const textId = useId();
  const nameId = useId();
  const complete = text.trim() !== '' && (!byPhone || name.trim() !== '');
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!complete || isPending) return;
    setRefusal(null);
    try {
      await mutateAsync({ act: 'action', body: { action: text.trim(), ...(byPhone ? { name: name.trim() } : {}) } });
      void message.success(t('critical.done.action'));
    } catch (error) {
      setRefusal(error);
    }
  };
  return (
    <form className="critical-form" onSubmit={(event) => void send(event)}>
      <h3 className="critical-heading">{t(byPhone ? 'critical.actionForm.byPhone' : 'critical.actionForm.title')}</h3>
      {byPhone && (
        <>
          <label htmlFor={nameId} className="critical-label">
            {t('phone.answerer')}
          </label>
          <Input id={nameId} maxLength={200} value={name} onChange={(event) => setName(event.target.value)} />
        </>
      )}
      <label htmlFor={textId} className="critical-label">
        {t('critical.actionForm.what')}
      </label>
      <Input.TextArea
        id={textId}
        rows={2}
        maxLength={2_000}
        value={text}
        placeholder={t('critical.actionForm.hint')}
        onChange={(event) => setText(event.target.value)}
      />
      {refusal !== null && <ProblemNotice error={refusal} />}
      <Button type="primary" htmlType="submit" disabled={!complete} loading={isPending}>
        {t('critical.actionForm.send')}
      </Button>
    </form>
  );
}
