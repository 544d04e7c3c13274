import { Segmented, Select } from 'antd';
import { useState } from 'react';
import { useSearchParams } from 'react-router';

import type { Delivery, DeliveryState } from '../api/types';
import { DeliveryChip } from '../design/Chip';
import { useMinute, useSecond } from '../design/clock';
import { Empty, ProblemNotice } from '../design/Notice';
import { Pager } from '../design/Pager';
import { Name } from '../design/PatientName';
import { type Column, Table } from '../design/Table';
import { deliveryError } from '../i18n/deliveryError';
import { formatDateTime, formatDuration, formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteOf } from '../i18n/siteName';
import { type Decision, DecisionDialog } from './DecisionDialog';
import { DeliveryPanel } from './DeliveryPanel';
import { type DeliveryFilters, useDeliveries, useQueues } from './queries';
import { QueueTable } from './QueueTable';
import './deliveries.css';

const STATES = [
  'PENDING',
  'IN_PROGRESS',
  'REFUSED',
  'PAUSED',
  'DELIVERED',
  'CANCELED',
] as const satisfies readonly DeliveryState[];

function filtersFrom(parameters: URLSearchParams): DeliveryFilters {
  const state = parameters.get('state');
  const page = Number(parameters.get('page') ?? '1');
  return {
    state: state === 'open' ? 'open' : (STATES.find((one) => one === state) ?? null),
    destination: parameters.get('destination'),
    page: Number.isInteger(page) && page > 0 ? page : 1,
  };
}

/** Reports on their way back: how each destination is doing, every delivery, and what is decided about them. */
export function DeliveriesPage() {
  const words = useLanguage();
  const { t } = words;
  const [parameters, setParameters] = useSearchParams();
  const filters = filtersFrom(parameters);
  const queues = useQueues();
  const deliveries = useDeliveries(filters);
  const [decision, setDecision] = useState<Decision | null>(null);
  const openId = parameters.get('open');
  const change = (part: Record<string, string | null>): void => {
    setParameters(
      (old) => {
        const next = new URLSearchParams(old);
        if (!('page' in part) && !('open' in part)) next.delete('page');
        for (const [name, value] of Object.entries(part)) {
          if (value === null) next.delete(name);
          else next.set(name, value);
        }
        return next;
      },
      { replace: true },
    );
  };
  const columns = columnsOf(words, useMinute(), (id) => change({ open: id }));
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('deliveries.title')}</h1>
      </div>
      {queues.isError && (
        <div className="page-problem">
          <ProblemNotice heading={t('queues.failed')} error={queues.error} onRetry={() => void queues.refetch()} />
        </div>
      )}
      {queues.data?.items.length === 0 ? (
        <div className="page-empty">
          <Empty title={t('queues.empty.title')} text={t('queues.empty.text')} />
        </div>
      ) : (
        <>
          <section className="queues" aria-label={t('queues.title')}>
            <QueueTable
              queues={queues.data?.items ?? (queues.isError ? [] : null)}
              mayAct={queues.data?.may_act ?? false}
              chosen={filters.destination}
              onChoose={(destination) => change({ destination })}
              onDecide={setDecision}
            />
          </section>
          <div className="page-head deliveries-head">
            <Segmented
              aria-label={t('deliveries.column.state')}
              value={filters.state ?? 'all'}
              options={[
                { value: 'all', label: t('deliveries.all') },
                { value: 'open', label: t('deliveries.open') },
                ...STATES.map((each) => ({ value: each, label: t(`deliveries.state.${each}`) })),
              ]}
              onChange={(chosen) => change({ state: chosen === 'all' ? null : chosen })}
            />
            <span className="page-space" />
            <Select
              aria-label={t('deliveries.column.destination')}
              className="deliveries-destination"
              value={filters.destination ?? ''}
              options={[
                { value: '', label: t('deliveries.everywhere') },
                ...(queues.data?.items ?? []).map((one) => ({ value: one.destination_id, label: one.destination })),
              ]}
              onChange={(chosen) => change({ destination: chosen === '' ? null : chosen })}
            />
          </div>
          {deliveries.isError && (
            <div className="page-problem">
              <ProblemNotice
                heading={t('deliveries.failed')}
                error={deliveries.error}
                onRetry={() => void deliveries.refetch()}
              />
            </div>
          )}
          {deliveries.data?.total === 0 ? (
            <div className="page-empty">
              <Empty title={t('deliveries.empty.title')} text={t('deliveries.empty.text')} />
            </div>
          ) : (
            <Table
              label={t('deliveries.table')}
              columns={columns}
              rows={deliveries.data?.items ?? (deliveries.isError ? [] : null)}
              rowKey={(delivery) => delivery.id}
              onRow={(delivery) => change({ open: delivery.id })}
              old={deliveries.isPlaceholderData}
            />
          )}
          <Pager
            page={filters.page}
            pageSize={deliveries.data?.page_size ?? 50}
            total={deliveries.data?.total ?? 0}
            onPage={(page) => change({ page: String(page) })}
          />
        </>
      )}
      {openId !== null && <DeliveryPanel id={openId} onClose={() => change({ open: null })} />}
      {decision !== null && <DecisionDialog decision={decision} onClose={() => setDecision(null)} />}
    </div>
  );
}

function columnsOf(
  { t, language }: ReturnType<typeof useLanguage>,
  now: number,
  onOpen: (id: string) => void,
): Column<Delivery>[] {
  return [
    {
      key: 'state',
      heading: t('deliveries.column.state'),
      width: 110,
      cell: (delivery) => <DeliveryChip state={delivery.state} />,
    },
    {
      key: 'report',
      heading: t('deliveries.column.report'),
      cell: (delivery) => (
        <>
          <button type="button" className="queue-name" onClick={() => onOpen(delivery.id)}>
            <Name name={delivery.patient_name} latin={delivery.patient_latin_name} />
          </button>{' '}
          {delivery.title}
          {delivery.is_notice && <span className="quiet"> · {t('deliveries.notice')}</span>}
          {delivery.version_number > 1 && (
            <span className="quiet"> · {t('final.version', { n: delivery.version_number })}</span>
          )}
        </>
      ),
    },
    {
      key: 'destination',
      heading: t('deliveries.column.destination'),
      width: '24%',
      cell: (delivery) => (
        <>
          {siteOf(language, delivery)}
          <div className="quiet small">{delivery.destination}</div>
        </>
      ),
    },
    {
      key: 'created',
      heading: t('deliveries.column.created'),
      width: 104,
      cell: (delivery) => formatShortTime(delivery.issued_at, now),
    },
    { key: 'attempts', heading: t('deliveries.column.attempts'), width: 70, cell: (delivery) => delivery.attempts },
    {
      key: 'next',
      heading: t('deliveries.column.next'),
      width: 124,
      cell: (delivery) => <Outcome delivery={delivery} now={now} />,
    },
    {
      key: 'error',
      heading: t('deliveries.column.lastError'),
      width: '22%',
      cell: (delivery) =>
        delivery.last_error === null ? (
          <span className="quiet">{t('app.none')}</span>
        ) : (
          <span className={['DELIVERED', 'CANCELED'].includes(delivery.state) ? 'quiet' : 'danger'}>
            {deliveryError(language, delivery.last_error)}
          </span>
        ),
    },
  ];
}

/** When it arrived, or when it is tried again. */
function Outcome({ delivery, now }: { delivery: Delivery; now: number }) {
  const { t } = useLanguage();
  if (delivery.delivered_at !== null && delivery.state === 'DELIVERED') {
    return (
      <span title={formatDateTime(delivery.delivered_at)}>
        {t('deliveries.arrived', { time: formatShortTime(delivery.delivered_at, now) })}
      </span>
    );
  }
  if (delivery.next_attempt_at === null) return <span className="quiet">{t('app.none')}</span>;
  return <Countdown at={delivery.next_attempt_at} />;
}

function Countdown({ at }: { at: string }) {
  const { t, language } = useLanguage();
  const left = Date.parse(at) - useSecond();
  return (
    <span title={formatDateTime(at)}>
      {left <= 0 ? t('deliveries.now') : t('deliveries.in', { time: formatDuration(language, left) })}
    </span>
  );
}
