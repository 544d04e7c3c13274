import { MoreOutlined } from '@ant-design/icons';
import { Button, Dropdown } from 'antd';

import type { DeliveryQueue } from '../api/types';
import { Chip, type Tone } from '../design/Chip';
import { useMinute } from '../design/clock';
import { type Column, Table } from '../design/Table';
import type { PlainKey } from '../i18n/catalogue';
import { deliveryWords } from '../i18n/deliveryError';
import { formatDateTime, formatDuration, formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteOf } from '../i18n/siteName';
import type { Decision } from './DecisionDialog';

interface QueueTableProps {
  queues: readonly DeliveryQueue[] | null;
  mayAct: boolean;
  chosen: string | null;
  onChoose: (destination: string | null) => void;
  onDecide: (decision: Decision) => void;
}

/** How each destination is doing, those with trouble first; a row shows its deliveries. */
export function QueueTable({ queues, mayAct, chosen, onChoose, onDecide }: QueueTableProps) {
  const { t } = useLanguage();
  const columns = useColumns({ mayAct, chosen, onChoose, onDecide });
  return (
    <Table
      label={t('queues.table')}
      columns={columns}
      rows={queues}
      rowKey={(queue) => queue.destination_id}
      onRow={(queue) => onChoose(queue.destination_id === chosen ? null : queue.destination_id)}
    />
  );
}

type QueueState = 'silent' | 'refused' | 'paused' | 'off' | 'waiting' | 'fine';

const TONES: Record<QueueState, Tone> = {
  silent: 'red',
  refused: 'red',
  paused: 'slate',
  off: 'slate',
  waiting: 'blue',
  fine: 'green',
};

export function stateOf(queue: DeliveryQueue): QueueState {
  if (!queue.active) return 'off';
  if (queue.paused_at !== null) return 'paused';
  if (queue.failing_since !== null) return 'silent';
  if (queue.refused > 0) return 'refused';
  if (queue.paused > 0) return 'paused';
  return queue.waiting > 0 ? 'waiting' : 'fine';
}

function useColumns({ mayAct, chosen, onChoose, onDecide }: Omit<QueueTableProps, 'queues'>): Column<DeliveryQueue>[] {
  const { t, language } = useLanguage();
  const now = useMinute();
  const columns: Column<DeliveryQueue>[] = [
    {
      key: 'destination',
      heading: t('queues.column.destination'),
      width: '24%',
      cell: (queue) => (
        <>
          <button
            type="button"
            className="queue-name"
            aria-pressed={queue.destination_id === chosen}
            onClick={() => onChoose(queue.destination_id === chosen ? null : queue.destination_id)}
          >
            {siteOf(language, queue)}
          </button>{' '}
          <span className="quiet small">{t(`deliveryKind.${queue.kind}`)}</span>
          <div className="quiet small">{queue.destination}</div>
        </>
      ),
    },
    {
      key: 'state',
      heading: t('queues.column.state'),
      width: 120,
      cell: (queue) => {
        const state = stateOf(queue);
        return (
          <Chip tone={TONES[state]} hollow={state === 'paused' || state === 'off'}>
            {t(`queues.state.${state}`)}
          </Chip>
        );
      },
    },
    {
      key: 'open',
      heading: t('queues.column.open'),
      width: 96,
      cell: (queue) => <Open queue={queue} />,
    },
    {
      key: 'oldest',
      heading: t('queues.column.oldest'),
      width: 116,
      cell: (queue) =>
        queue.oldest_at === null ? (
          <span className="quiet">{t('app.none')}</span>
        ) : (
          <span title={formatDateTime(queue.oldest_at)}>
            {t('queues.oldest', { time: formatDuration(language, now - Date.parse(queue.oldest_at)) })}
          </span>
        ),
    },
    { key: 'met', heading: t('queues.column.met'), cell: (queue) => <Met queue={queue} now={now} /> },
  ];
  if (!mayAct) return columns;
  return [
    ...columns,
    {
      key: 'act',
      heading: t('queues.column.act'),
      width: 136,
      cell: (queue) => <Acts queue={queue} onDecide={onDecide} />,
    },
  ];
}

function Open({ queue }: { queue: DeliveryQueue }) {
  const { t } = useLanguage();
  const parts = [
    queue.waiting > 0 ? t('queues.waiting', { n: queue.waiting }) : null,
    queue.refused > 0 ? t('queues.refused', { n: queue.refused }) : null,
    queue.paused > 0 ? t('queues.paused', { n: queue.paused }) : null,
  ].filter((part) => part !== null);
  if (parts.length === 0) return <span className="quiet">{t('queues.none')}</span>;
  return parts.map((part) => <div key={part}>{part}</div>);
}

/** What is wrong with a destination, in plain words, and what to do; when it last took something. */
function Met({ queue, now }: { queue: DeliveryQueue; now: number }) {
  const { t, language } = useLanguage();
  const met =
    queue.failing_since === null || queue.last_error === null ? null : deliveryWords(language, queue.last_error);
  return (
    <>
      {queue.paused_at !== null && (
        <p className="queue-met">
          {t('queues.pausedBy', {
            who: queue.paused_by ?? '',
            time: formatShortTime(queue.paused_at, now),
            reason: queue.pause_reason ?? '',
          })}
        </p>
      )}
      {met !== null && queue.failing_since !== null && (
        <>
          <p className="queue-met">
            <span className="danger">{met.title}</span>{' '}
            <span className="quiet small">
              {t('queues.since', { time: formatShortTime(queue.failing_since, now), n: queue.failures })}
            </span>
          </p>
          {met.remedy !== null && <p className="queue-met">{met.remedy}</p>}
        </>
      )}
      {queue.refused > 0 && <p className="queue-met">{t('queues.refusedHint')}</p>}
      {queue.last_success_at !== null && (
        <p className="queue-met quiet small">
          {t('queues.lastSuccess', { time: formatShortTime(queue.last_success_at, now) })}
        </p>
      )}
    </>
  );
}

function Acts({ queue, onDecide }: { queue: DeliveryQueue; onDecide: (decision: Decision) => void }) {
  const { t } = useLanguage();
  const decide = (act: Decision['act']): void =>
    onDecide({ about: { queue }, destination: queue.destination_id, siteCode: queue.site_code, act });
  const paused = queue.paused_at !== null;
  const first = paused ? 'resume' : 'probe';
  const others = ([...(paused ? [] : (['pause', 'replay'] as const)), 'redirect'] as const).map((act) => ({
    key: act,
    label: t(`deliveries.act.${act}` satisfies PlainKey),
    onClick: ({ domEvent }: { domEvent: { stopPropagation: () => void } }) => {
      // The row has a doing of its own, and React takes the menu for a part of it.
      domEvent.stopPropagation();
      decide(act);
    },
  }));
  return (
    <span className="queue-acts">
      <Button size="small" onClick={() => decide(first)}>
        {t(`deliveries.act.${first}`)}
      </Button>
      <Dropdown trigger={['click']} menu={{ items: others }}>
        <Button size="small" icon={<MoreOutlined />} aria-label={t('queues.more', { where: queue.destination })} />
      </Dropdown>
    </span>
  );
}
