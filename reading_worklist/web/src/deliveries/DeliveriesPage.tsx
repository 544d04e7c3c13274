import { DownOutlined, RightOutlined } from '@ant-design/icons';
import { Button, Segmented } from 'antd';
import { useState } from 'react';

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
import { Attempts } from './Attempts';
import { useDeliveries } from './queries';
import './deliveries.css';

const STATES = [
  'PENDING',
  'IN_PROGRESS',
  'PAUSED',
  'DELIVERED',
  'CANCELED',
] as const satisfies readonly DeliveryState[];

/** Reports on their way back to the sites, so that nothing that does not arrive stays unseen. */
export function DeliveriesPage() {
  const { t } = useLanguage();
  const [state, setState] = useState<DeliveryState | null>(null);
  const [page, setPage] = useState(1);
  const [openId, setOpenId] = useState<string | null>(null);
  const deliveries = useDeliveries(state, page);
  const columns = useColumns(openId, setOpenId);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('deliveries.title')}</h1>
        <Segmented
          aria-label={t('deliveries.column.state')}
          value={state ?? 'all'}
          options={[
            { value: 'all', label: t('deliveries.all') },
            ...STATES.map((each) => ({ value: each, label: t(`deliveries.state.${each}`) })),
          ]}
          onChange={(chosen) => {
            setState(STATES.find((each) => each === chosen) ?? null);
            setPage(1);
          }}
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
          below={(delivery) => (delivery.id === openId ? <Attempts id={delivery.id} /> : null)}
          old={deliveries.isPlaceholderData}
        />
      )}
      <Pager
        page={page}
        pageSize={deliveries.data?.page_size ?? 50}
        total={deliveries.data?.total ?? 0}
        onPage={setPage}
      />
    </div>
  );
}

function useColumns(openId: string | null, onOpen: (id: string | null) => void): Column<Delivery>[] {
  const { t, language } = useLanguage();
  const now = useMinute();
  return [
    {
      key: 'state',
      heading: t('deliveries.column.state'),
      width: 150,
      cell: (delivery) => {
        const isOpen = delivery.id === openId;
        return (
          <span className="delivery-state">
            <Button
              type="text"
              size="small"
              aria-expanded={isOpen}
              aria-label={t('deliveries.details')}
              icon={isOpen ? <DownOutlined /> : <RightOutlined />}
              onClick={() => onOpen(isOpen ? null : delivery.id)}
            />
            <DeliveryChip state={delivery.state} />
          </span>
        );
      },
    },
    {
      key: 'report',
      heading: t('deliveries.column.report'),
      cell: (delivery) => (
        <>
          <span className="strong">
            <Name name={delivery.patient_name} latin={delivery.patient_latin_name} />
          </span>{' '}
          {delivery.title}
          {delivery.version_number > 1 && (
            <span className="quiet"> · {t('final.version', { n: delivery.version_number })}</span>
          )}
        </>
      ),
    },
    {
      key: 'destination',
      heading: t('deliveries.column.destination'),
      width: '20%',
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
      cell: (delivery) => formatShortTime(delivery.created_at, now),
    },
    { key: 'attempts', heading: t('deliveries.column.attempts'), width: 76, cell: (delivery) => delivery.attempts },
    {
      key: 'next',
      heading: t('deliveries.column.next'),
      width: 124,
      cell: (delivery) => <Outcome delivery={delivery} now={now} />,
    },
    {
      key: 'error',
      heading: t('deliveries.column.lastError'),
      width: '24%',
      cell: (delivery) =>
        delivery.last_error === null ? (
          <span className="quiet">{t('app.none')}</span>
        ) : (
          <span className={delivery.state === 'DELIVERED' ? 'quiet' : 'danger'}>
            {deliveryError(language, delivery.last_error)}
          </span>
        ),
    },
  ];
}

/** When it arrived, or when it is tried again. */
function Outcome({ delivery, now }: { delivery: Delivery; now: number }) {
  const { t } = useLanguage();
  if (delivery.delivered_at !== null) {
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
