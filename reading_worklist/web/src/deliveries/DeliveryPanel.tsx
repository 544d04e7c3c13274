import { Button, Drawer, Skeleton } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';

import type { DeliveryDetail } from '../api/types';
import { DeliveryChip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { Name } from '../design/PatientName';
import { deliveryWords } from '../i18n/deliveryError';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteOf } from '../i18n/siteName';
import { Attempts } from './Attempts';
import { type Decision, DecisionDialog } from './DecisionDialog';
import { useDelivery } from './queries';

const ACTS = ['replay', 'resume', 'pause', 'redirect'] as const;

/** One delivery beside the list: what it met, what to do, every attempt, and what may be decided. */
export function DeliveryPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useLanguage();
  const delivery = useDelivery(id);
  return (
    <Drawer
      open
      size={640}
      title={
        delivery.data === undefined ? (
          t('deliveries.title')
        ) : (
          <Name name={delivery.data.patient_name} latin={delivery.data.patient_latin_name} />
        )
      }
      closable={{ 'aria-label': t('deliveries.close') }}
      onClose={onClose}
    >
      {delivery.isError && (
        <ProblemNotice
          heading={t('deliveries.detailFailed')}
          error={delivery.error}
          onRetry={() => void delivery.refetch()}
        />
      )}
      {delivery.data === undefined ? (
        !delivery.isError && <Skeleton active paragraph={{ rows: 6 }} />
      ) : (
        <Delivery delivery={delivery.data} />
      )}
    </Drawer>
  );
}

function Delivery({ delivery }: { delivery: DeliveryDetail }) {
  const { t, language } = useLanguage();
  const [decision, setDecision] = useState<Decision | null>(null);
  const met = delivery.last_error === null ? null : deliveryWords(language, delivery.last_error);
  return (
    <div className="delivery-panel">
      <p>
        <DeliveryChip state={delivery.state} /> {delivery.title}{' '}
        <span className="quiet">
          {delivery.is_notice ? t('deliveries.notice') : t('deliveries.version', { n: delivery.version_number })}
        </span>
      </p>
      <p>
        {siteOf(language, delivery)} · {delivery.destination}
      </p>
      {met !== null && delivery.state !== 'DELIVERED' && (
        <div className="notice notice-problem">
          <p className="notice-title">{met.title}</p>
          {met.remedy !== null && <p>{met.remedy}</p>}
          {met.said !== null && <p className="quiet small">{met.said}</p>}
        </div>
      )}
      {delivery.decided_at !== null && delivery.decision_reason !== null && (
        <p className="quiet">
          {t('deliveries.decided', {
            who: delivery.decided_by ?? '',
            time: formatDateTime(delivery.decided_at),
            reason: delivery.decision_reason,
          })}
        </p>
      )}
      <div className="delivery-acts">
        {ACTS.filter((act) => delivery.actions.includes(act)).map((act) => (
          <Button
            key={act}
            type={act === 'replay' && delivery.state === 'REFUSED' ? 'primary' : 'default'}
            onClick={() =>
              setDecision({
                about: { delivery: delivery.id },
                destination: delivery.destination_id,
                siteCode: delivery.site_code,
                act,
              })
            }
          >
            {t(`deliveries.act.${act}`)}
          </Button>
        ))}
        <Link to={`/ledger/${delivery.workitem_id}`}>{t('deliveries.exam')}</Link>
      </div>
      <h2>{t('deliveries.attempts')}</h2>
      <Attempts attempts={delivery.attempt_list} />
      {decision !== null && <DecisionDialog decision={decision} onClose={() => setDecision(null)} />}
    </div>
  );
}
