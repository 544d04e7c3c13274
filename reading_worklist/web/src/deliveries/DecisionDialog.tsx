import { App, DatePicker, Select } from 'antd';
import { useId, useState } from 'react';

import type { DeliveryQueue } from '../api/types';
import { ReasonDialog } from '../design/ReasonDialog';
import { useLanguage } from '../i18n/language';
import { type DeliveryAct, type QueueAct, useDeliveryActs, useQueues } from './queries';

/** What is decided: about one delivery, or about all of a destination. */
export interface Decision {
  about: { delivery: string } | { queue: DeliveryQueue };
  /** Where it goes now, so that it is sent somewhere else. */
  destination: string;
  siteCode: string;
  act: DeliveryAct | QueueAct | 'redirect';
}

/** Asks why, and for what is asked beside: where to, and from when on. */
export function DecisionDialog({ decision, onClose }: { decision: Decision; onClose: () => void }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const acts = useDeliveryActs();
  const [to, setTo] = useState<string | null>(null);
  const [since, setSince] = useState<string | null>(null);
  const { act, about } = decision;
  const ofQueue = 'queue' in about;
  const decide = async (reason: string): Promise<void> => {
    const moved = await send(reason);
    const words = t(`deliveries.act.${act}`);
    const done = t('deliveries.act.done', { act: words });
    void message.success(moved === null ? done : `${done} · ${t('deliveries.act.moved', { n: moved })}`);
  };
  const send = async (reason: string): Promise<number | null> => {
    if ('delivery' in about) {
      const id = about.delivery;
      if (act === 'redirect') await acts.redirect.mutateAsync({ id, destination: to ?? '', reason });
      else if (act !== 'probe') await acts.one.mutateAsync({ id, act, reason });
      return null;
    }
    const id = about.queue.destination_id;
    if (act === 'redirect') return (await acts.redirectQueue.mutateAsync({ id, destination: to ?? '', reason })).moved;
    if (act === 'replay') return (await acts.replayQueue.mutateAsync({ id, reason, since })).moved;
    await acts.queue.mutateAsync({ id, act, reason });
    return null;
  };
  return (
    <ReasonDialog
      title={t(`deliveries.act.${act}`)}
      confirm={t(`deliveries.act.${act}`)}
      onConfirm={decide}
      onClose={onClose}
    >
      <p>{t(ofQueue && act === 'replay' ? 'deliveries.replay.queue.text' : `deliveries.act.${act}.text`)}</p>
      {act === 'redirect' && <WhereTo decision={decision} to={to} onTo={setTo} />}
      {act === 'replay' && ofQueue && <FromWhen onSince={setSince} />}
    </ReasonDialog>
  );
}

function WhereTo({
  decision,
  to,
  onTo,
}: {
  decision: Decision;
  to: string | null;
  onTo: (destination: string) => void;
}) {
  const { t } = useLanguage();
  const id = useId();
  const queues = useQueues();
  const others = (queues.data?.items ?? []).filter(
    (one) => one.site_code === decision.siteCode && one.destination_id !== decision.destination && one.active,
  );
  if (queues.data !== undefined && others.length === 0) {
    return <p className="danger">{t('deliveries.redirect.none')}</p>;
  }
  return (
    <div className="decision-field">
      <label htmlFor={id}>{t('deliveries.redirect.to')}</label>
      <Select
        id={id}
        value={to}
        options={others.map((one) => ({ value: one.destination_id, label: one.destination }))}
        onChange={onTo}
      />
    </div>
  );
}

function FromWhen({ onSince }: { onSince: (since: string | null) => void }) {
  const { t } = useLanguage();
  const id = useId();
  return (
    <div className="decision-field">
      <label htmlFor={id}>{t('deliveries.replay.since')}</label>
      <DatePicker id={id} showTime={{ format: 'HH:mm' }} onChange={(day) => onSince(day?.toISOString() ?? null)} />
      <span className="quiet small">{t('deliveries.replay.since.hint')}</span>
    </div>
  );
}
