import { Input, Modal, Radio } from 'antd';
import { useId, useState } from 'react';

import type { CriticalContact } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { useAttempt } from '../design/useAttempt';
import { useLanguage } from '../i18n/language';
import { nearestFirst } from './PersonOnPhone';
import './phone.css';

export interface Call {
  name: string;
  phone: string;
  answered: boolean;
  note: string;
}

/** Takes down that somebody was rung, reached or not. */
export function CallDialog({
  contacts,
  step,
  onCall,
  onClose,
}: {
  contacts: readonly CriticalContact[];
  step: number;
  onCall: (call: Call) => Promise<unknown>;
  onClose: () => void;
}) {
  const { t } = useLanguage();
  const listed = nearestFirst(contacts, step);
  const [first] = listed;
  const [call, setCall] = useState({ name: first?.name ?? '', phone: first?.phone ?? '', note: '' });
  const [answered, setAnswered] = useState<boolean | null>(null);
  const { busy, refusal, attempt } = useAttempt(onClose);
  const ids = { name: useId(), phone: useId(), note: useId() };
  const complete = call.name.trim() !== '' && call.phone.trim() !== '' && answered !== null;
  const keep = (): void => {
    if (!complete) return;
    void attempt(() => onCall({ name: call.name.trim(), phone: call.phone.trim(), answered, note: call.note.trim() }));
  };
  return (
    <Modal
      open
      width={460}
      title={t('phone.call.title')}
      okText={t('phone.call.keep')}
      okButtonProps={{ disabled: !complete }}
      cancelText={t('app.cancel')}
      confirmLoading={busy}
      mask={{ closable: false }}
      onOk={keep}
      onCancel={onClose}
    >
      <div className="phone-form">
        {listed.length > 0 && (
          <Radio.Group
            className="phone-choices"
            aria-label={t('phone.fromList')}
            value={listed.findIndex((one) => one.name === call.name && one.phone === call.phone)}
            options={listed.map((one, index) => ({ value: index, label: `${one.name} ${one.role} ${one.phone}` }))}
            onChange={(event) => {
              const chosen = listed[Number(event.target.value)];
              if (chosen !== undefined) setCall({ ...call, name: chosen.name, phone: chosen.phone });
            }}
          />
        )}
        <label htmlFor={ids.name}>{t('phone.call.name')}</label>
        <Input
          id={ids.name}
          maxLength={200}
          value={call.name}
          onChange={(event) => setCall({ ...call, name: event.target.value })}
        />
        <label htmlFor={ids.phone}>{t('phone.call.phone')}</label>
        <Input
          id={ids.phone}
          maxLength={200}
          value={call.phone}
          onChange={(event) => setCall({ ...call, phone: event.target.value })}
        />
        <Radio.Group
          aria-label={t('phone.call.answered')}
          value={answered}
          options={[
            { value: true, label: t('phone.reached') },
            { value: false, label: t('phone.notReached') },
          ]}
          onChange={(event) => setAnswered(event.target.value === true)}
        />
        <label htmlFor={ids.note}>{t('phone.call.note')}</label>
        <Input
          id={ids.note}
          maxLength={200}
          value={call.note}
          onChange={(event) => setCall({ ...call, note: event.target.value })}
        />
        {refusal !== null && <ProblemNotice error={refusal} />}
      </div>
    </Modal>
  );
}
