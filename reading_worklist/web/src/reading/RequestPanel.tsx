import { Skeleton } from 'antd';

import type { Order } from '../api/types';
import { Empty, ProblemNotice } from '../design/Notice';
import { isPlainKey } from '../i18n/catalogue';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import type { PanelProps } from './panel';
import { useRequest } from './request';

/** What was asked for and what is known of the patient: the question first. */
export function RequestPanel({ item }: PanelProps) {
  const { t } = useLanguage();
  const request = useRequest(item.id);
  if (request.isError) return <ProblemNotice error={request.error} onRetry={() => void request.refetch()} />;
  if (request.data === undefined) return <Skeleton active paragraph={{ rows: 6 }} />;
  if (request.data === null) return <Empty title={t('request.none')} text={t('request.noneText')} />;
  return <RequestFacts order={request.data} />;
}

function RequestFacts({ order }: { order: Order }) {
  const { t } = useLanguage();
  const word = (key: string): string => (isPlainKey(key) ? t(key) : key);
  return (
    <>
      {order.priority_reason !== null && (
        <p className="request-urgent">{word(`request.priorityReason.${order.priority_reason}`)}</p>
      )}
      <section className="request-main">
        <h3>{t('request.diagnosis')}</h3>
        <p>{order.clinical_diagnosis ?? t('report.empty')}</p>
        <h3>{t('request.reason')}</h3>
        <p>{order.reason ?? t('report.empty')}</p>
      </section>
      <dl className="request-facts">
        <Fact
          name={t('request.procedure')}
          value={[
            order.procedure_description,
            order.body_part,
            order.laterality === null ? null : word(`request.laterality.${order.laterality}`),
          ]}
        />
        <Fact
          name={t('request.contrast')}
          value={[order.contrast === null ? null : word(`request.contrast.${order.contrast}`)]}
        />
        <Fact name={t('orders.form.visitType')} value={[t(`orders.visit.${order.visit_type}`), order.visit_number]} />
        <Fact name={t('request.department')} value={[order.department, order.bed]} />
        <Fact name={t('request.requester')} value={[order.requester]} />
        <Fact name={t('request.requestedAt')} value={[formatDateTime(order.requested_at)]} />
        <Fact
          name={t('request.firstContact')}
          value={[order.first_contact_at === null ? null : formatDateTime(order.first_contact_at)]}
        />
        <Fact name={t('reading.accession')} value={[order.accession_number]} />
      </dl>
      {order.cancellation_reason !== null && (
        <p className="request-urgent">{t('request.cancelled', { reason: order.cancellation_reason })}</p>
      )}
    </>
  );
}

function Fact({ name, value }: { name: string; value: readonly (string | null)[] }) {
  const text = value.filter((part) => part !== null && part !== '').join(' · ');
  if (text === '') return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  );
}
