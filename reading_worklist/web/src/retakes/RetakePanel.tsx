import { App, Button, Input, Radio, Select, Skeleton } from 'antd';
import { type SubmitEvent, useId, useState } from 'react';

import type { RetakeReason, WorkitemDetail } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { useContacts } from '../phone/queries';
import type { PanelProps } from '../reading/panel';
import { useSession } from '../session/session';
import { useRequestRetake, useRetakesOf } from './queries';
import { RetakeView } from './RetakeView';
import { reasonsOf } from './words';
import '../critical/critical.css';
import '../phone/phone.css';
import './retakes.css';

const REQUESTERS = ['writer', 'reviewer', 'quality_controller'];
const UNREAD: ReadonlySet<WorkitemDetail['state']> = new Set<WorkitemDetail['state']>([
  'QUEUED',
  'CLAIMED',
  'RETURNED',
]);

/** Sends the exam back to be made again, and shows what came of it. */
export function RetakePanel({ item }: PanelProps) {
  const { t } = useLanguage();
  const { data: session } = useSession();
  const retakes = useRetakesOf(item.id);
  if (retakes.isError) return <ProblemNotice error={retakes.error} onRetry={() => void retakes.refetch()} />;
  if (retakes.data === undefined) return <Skeleton active />;
  const { items } = retakes.data;
  const waits = items.some((one) => one.state === 'REQUESTED' || one.state === 'ACKNOWLEDGED');
  const may = session?.roles.some((role) => REQUESTERS.includes(role)) ?? false;
  return (
    <div className="critical-panel panel-retake">
      {items.map((one) => (
        <RetakeView key={one.id} id={one.id} compact />
      ))}
      {may && !waits && UNREAD.has(item.state) && <RequestForm item={item} />}
      {may && !waits && !UNREAD.has(item.state) && items.length === 0 && (
        <p className="quiet">{t('retake.panel.tooLate')}</p>
      )}
      {!may && items.length === 0 && <p className="quiet">{t('retake.panel.none')}</p>}
    </div>
  );
}

function RequestForm({ item }: PanelProps) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync, isPending } = useRequestRetake(item.id);
  const [kind, setKind] = useState<'RETAKE' | 'REJECTED_QUALITY'>('RETAKE');
  const [code, setCode] = useState<RetakeReason | null>(null);
  const [reason, setReason] = useState('');
  const [called, setCalled] = useState({ name: '', phone: '' });
  const [refusal, setRefusal] = useState<unknown>(null);
  const stat = item.priority === 'STAT';
  const contacts = useContacts(stat ? item.site.id : null);
  const ids = { reason: useId(), name: useId(), phone: useId() };
  const told = !stat || (called.name.trim() !== '' && called.phone.trim() !== '');
  const complete = code !== null && (code !== 'OTHER' || reason.trim() !== '') && told;
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!complete || isPending) return;
    setRefusal(null);
    try {
      await mutateAsync({
        kind,
        reason_code: code,
        reason: reason.trim(),
        called_name: called.name.trim(),
        called_phone: called.phone.trim(),
      });
      void message.success(t('retake.done.request'));
    } catch (error) {
      setRefusal(error);
    }
  };
  return (
    <form className="critical-form" onSubmit={(event) => void send(event)}>
      <p className="quiet">{t('retake.panel.intro')}</p>
      <Radio.Group
        aria-label={t('retake.kind')}
        value={kind}
        options={(['RETAKE', 'REJECTED_QUALITY'] as const).map((each) => ({
          value: each,
          label: t(`retake.kind.${each}`),
        }))}
        onChange={(event) => setKind(event.target.value === 'RETAKE' ? 'RETAKE' : 'REJECTED_QUALITY')}
      />
      <Radio.Group
        className="critical-rules"
        aria-label={t('retake.reason')}
        value={code}
        options={reasonsOf(item.lane).map((each) => ({ value: each, label: t(`retake.reason.${each}`) }))}
        onChange={(event) => setCode(event.target.value as RetakeReason)}
      />
      <label htmlFor={ids.reason} className="critical-label">
        {t(code === 'OTHER' ? 'retake.reasonText' : 'retake.reasonMore')}
      </label>
      <Input.TextArea
        id={ids.reason}
        rows={2}
        maxLength={2_000}
        value={reason}
        placeholder={t('retake.reasonHint')}
        onChange={(event) => setReason(event.target.value)}
      />
      {stat && (
        <fieldset className="retake-call">
          <legend>{t('retake.callFirst')}</legend>
          {(contacts.data?.length ?? 0) > 0 && (
            <Select
              aria-label={t('phone.fromList')}
              placeholder={t('phone.fromList')}
              value={null}
              options={(contacts.data ?? []).map((one, index) => ({
                value: index,
                label: `${one.name} · ${one.role} · ${one.phone}`,
              }))}
              onChange={(index: number | null) => {
                const chosen = index === null ? undefined : contacts.data?.[index];
                if (chosen !== undefined) setCalled({ name: chosen.name, phone: chosen.phone });
              }}
            />
          )}
          <label htmlFor={ids.name}>{t('phone.call.name')}</label>
          <Input
            id={ids.name}
            maxLength={200}
            value={called.name}
            onChange={(event) => setCalled({ ...called, name: event.target.value })}
          />
          <label htmlFor={ids.phone}>{t('phone.call.phone')}</label>
          <Input
            id={ids.phone}
            maxLength={200}
            value={called.phone}
            onChange={(event) => setCalled({ ...called, phone: event.target.value })}
          />
        </fieldset>
      )}
      {refusal !== null && <ProblemNotice error={refusal} />}
      <Button type="primary" danger htmlType="submit" disabled={!complete} loading={isPending}>
        {t('retake.act.request')}
      </Button>
    </form>
  );
}
