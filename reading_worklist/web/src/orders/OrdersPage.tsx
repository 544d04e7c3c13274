import { PlusOutlined } from '@ant-design/icons';
import { App, Button, Segmented } from 'antd';
import { useState } from 'react';

import type { ExamState, Order } from '../api/types';
import { Chip, PriorityMark, type Tone } from '../design/Chip';
import { useMinute } from '../design/clock';
import { Pager } from '../design/Pager';
import { Name } from '../design/PatientName';
import { QueryTable } from '../design/QueryTable';
import { ReasonDialog } from '../design/ReasonDialog';
import { SearchField } from '../design/SearchField';
import { useShortcuts } from '../design/shortcuts';
import type { Column } from '../design/Table';
import { useListFilter } from '../design/useListFilter';
import { useRefusal } from '../design/useRefusal';
import { formatDateTime, formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { canAmend, ORDER_TABS } from './filters';
import { OrderForm } from './OrderForm';
import { PAGE_SIZE, useOrderActs, useOrders } from './queries';
import './orders.css';

const TONES: Record<ExamState, Tone> = {
  REQUESTED: 'slate',
  CHECKED_IN: 'blue',
  ACQUIRED: 'blue',
  RECEIVED: 'violet',
  INCOMPLETE: 'amber',
  QUEUED: 'green',
  CANCELLED: 'slate',
  IDENTITY_HOLD: 'amber',
  RETAKE: 'red',
  REJECTED_QUALITY: 'red',
};

/** What is to be examined at the site, and how far it is: ordered here or by the site's own system. */
export function OrdersPage() {
  const { t } = useLanguage();
  const { text, filter, onSearch, onFilter } = useListFilter(ORDER_TABS);
  const [page, setPage] = useState(1);
  const [writing, setWriting] = useState(false);
  const [amending, setAmending] = useState<Order | null>(null);
  const [cancelling, setCancelling] = useState<Order | null>(null);
  const orders = useOrders({ tab: filter, text, page });
  const { move } = useOrderActs();
  const { message } = App.useApp();
  const columns = useColumns({ onCancel: setCancelling, onAmend: setAmending });
  useShortcuts({ n: () => setWriting(true) });
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('orders.title')}</h1>
        <Segmented
          aria-label={t('orders.filter')}
          value={filter}
          options={ORDER_TABS.map((each) => ({ value: each, label: t(`orders.filter.${each}`) }))}
          onChange={(chosen) => {
            onFilter(chosen);
            setPage(1);
          }}
        />
        <span className="page-space" />
        <SearchField
          className="orders-search"
          label={t('orders.search')}
          placeholder={t('orders.searchHint')}
          text={text}
          onSearch={(typed) => {
            onSearch(typed);
            setPage(1);
          }}
        />
        <Button type="primary" icon={<PlusOutlined />} onClick={() => setWriting(true)}>
          {t('orders.new')}
        </Button>
      </div>
      <QueryTable
        query={orders}
        failed={t('orders.failed')}
        empty={
          text === '' && filter !== 'problem'
            ? { title: t('orders.empty.title'), text: t('orders.empty.text') }
            : { title: t('worklist.emptyFilter.title'), text: t('worklist.emptyFilter.text') }
        }
        label={t('orders.table')}
        columns={columns}
        rowKey={(order) => order.id}
      />
      <Pager page={page} pageSize={PAGE_SIZE} total={orders.data?.total ?? 0} onPage={setPage} />
      {writing && <OrderForm onClose={() => setWriting(false)} />}
      {amending !== null && <OrderForm order={amending} onClose={() => setAmending(null)} />}
      {cancelling !== null && (
        <ReasonDialog
          title={`${t('orders.cancel')} · ${cancelling.patient_name}`}
          confirm={t('orders.cancel')}
          danger
          onConfirm={async (reason) => {
            await move.mutateAsync({ id: cancelling.id, state: 'CANCELLED', reason });
            void message.success(t('orders.cancelled'));
          }}
          onClose={() => setCancelling(null)}
        >
          <p>{t('orders.cancelExplain')}</p>
        </ReasonDialog>
      )}
    </div>
  );
}

interface OrderChanges {
  onCancel: (order: Order) => void;
  onAmend: (order: Order) => void;
}

function useColumns(changes: OrderChanges): Column<Order>[] {
  const { t } = useLanguage();
  const now = useMinute();
  return [
    { key: 'patient', heading: t('orders.column.patient'), width: 210, cell: (order) => <Patient order={order} /> },
    { key: 'procedure', heading: t('orders.column.procedure'), cell: (order) => <Procedure order={order} /> },
    {
      key: 'scheduled',
      heading: t('orders.column.scheduled'),
      width: 110,
      cell: (order) => {
        const [step] = order.steps;
        if (step === undefined) return <span className="quiet">{t('app.none')}</span>;
        return <span title={formatDateTime(step.scheduled_at)}>{formatShortTime(step.scheduled_at, now)}</span>;
      },
    },
    {
      key: 'requested',
      heading: t('orders.column.requested'),
      width: 150,
      cell: (order) => (
        <>
          {order.requester ?? t(`orders.source.${order.source}`)}
          <div className="quiet small">{formatShortTime(order.requested_at, now)}</div>
        </>
      ),
    },
    {
      key: 'state',
      heading: t('orders.column.state'),
      width: 150,
      cell: (order) => (
        <>
          <Chip tone={TONES[order.state]} hollow={order.state === 'REQUESTED'}>
            {t(`orders.state.${order.state}`)}
          </Chip>
          {order.missing_instances > 0 && (
            <div className="danger small">{t('orders.missing', { n: order.missing_instances })}</div>
          )}
          {order.cancellation_reason !== null && <div className="quiet small">{order.cancellation_reason}</div>}
        </>
      ),
    },
    {
      key: 'action',
      heading: t('orders.column.action'),
      width: 256,
      cell: (order) => <Acts order={order} {...changes} />,
    },
  ];
}

function Patient({ order }: { order: Order }) {
  const { t } = useLanguage();
  const sex = order.patient_sex;
  return (
    <>
      <span className="strong">
        <Name name={order.patient_name} latin={order.patient_latin_name} />
      </span>{' '}
      {sex === 'M' || sex === 'F' || sex === 'O' ? t(`sex.${sex}`) : ''}
      <div className="quiet small">
        {[order.patient_local_id, order.patient_birth_date, order.document_number].filter(Boolean).join(' · ')}
      </div>
      {order.document_flaw !== null && <div className="danger small">{t('orders.documentFlaw')}</div>}
    </>
  );
}

function Procedure({ order }: { order: Order }) {
  const { t } = useLanguage();
  const side = order.laterality === null || order.laterality === 'U' ? null : t(`orders.side.${order.laterality}`);
  return (
    <>
      {order.steps.map((step) => (
        <span key={step.step_id} className="modality modality-imaging">
          {step.modality}
        </span>
      ))}{' '}
      {[order.procedure_description, order.body_part, side].filter(Boolean).join(' · ') || t('worklist.noDescription')}{' '}
      {order.priority !== 'ROUTINE' && <PriorityMark priority={order.priority} />}
      <div className="quiet small">
        {[order.accession_number, order.clinical_diagnosis].filter(Boolean).join(' · ')}
      </div>
    </>
  );
}

function Acts({ order, onCancel, onAmend }: OrderChanges & { order: Order }) {
  const { t } = useLanguage();
  const { move } = useOrderActs();
  const { message } = App.useApp();
  const refused = useRefusal();
  const checkIn = async (): Promise<void> => {
    try {
      await move.mutateAsync({ id: order.id, state: 'CHECKED_IN' });
      void message.success(t('orders.checkedIn'));
    } catch (error) {
      refused(error);
    }
  };
  const waits = order.state === 'REQUESTED' || order.state === 'CHECKED_IN';
  return (
    <span className="orders-acts">
      {order.state === 'REQUESTED' && (
        <Button size="small" loading={move.isPending} onClick={() => void checkIn()}>
          {t('orders.checkIn')}
        </Button>
      )}
      {canAmend(order) && (
        <Button size="small" className="order-amend" onClick={() => onAmend(order)}>
          {t('orders.change')}
        </Button>
      )}
      {waits && (
        <Button size="small" className="order-cancel" type="text" danger onClick={() => onCancel(order)}>
          {t('orders.cancelShort')}
        </Button>
      )}
    </span>
  );
}
