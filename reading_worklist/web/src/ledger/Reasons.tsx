import { Link } from 'react-router';

import type { StuckReason } from '../api/types';
import { useMinute } from '../design/clock';
import { deliveryWords } from '../i18n/deliveryError';
import { formatDateTime, formatDuration } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { useOpensDeliveries } from './opensDeliveries';

/** Why an exam does not go on, since when, and who mends it; nothing where it does. */
export function Reasons({ reasons, full = false }: { reasons: readonly StuckReason[]; full?: boolean }) {
  if (reasons.length === 0) return null;
  return (
    <ul className="ledger-reasons">
      {reasons.map((reason) => (
        <Reason key={`${reason.rule} ${reason.subject_id ?? ''}`} reason={reason} full={full} />
      ))}
    </ul>
  );
}

function Reason({ reason, full }: { reason: StuckReason; full: boolean }) {
  const { t, language } = useLanguage();
  const now = useMinute();
  const met = reason.said === null || reason.said === undefined ? null : deliveryWords(language, reason.said);
  const about = [reason.destination, reason.holder].filter((part) => part !== null && part !== undefined).join(' · ');
  const opens = useOpensDeliveries();
  const isDelivery = opens && reason.subject_id !== null && reason.rule !== 'recall';
  return (
    <li>
      <p className="ledger-reason">
        <strong>{t(`ledger.rule.${reason.rule}`)}</strong>{' '}
        <span className="quiet" title={formatDateTime(reason.since)}>
          {t('ledger.since', { time: formatDuration(language, now - Date.parse(reason.since)) })}
        </span>
      </p>
      {about !== '' && <p className="ledger-about">{about}</p>}
      {met !== null && <p className="danger">{met.title}</p>}
      {full && <p>{met?.remedy ?? t(`ledger.remedy.${reason.rule}`)}</p>}
      {full && met?.said !== null && met?.said !== undefined && <p className="quiet small">{met.said}</p>}
      <p className="quiet small">{t('ledger.mender', { who: t(`ledger.mender.${reason.mender}`) })}</p>
      {full && isDelivery && reason.subject_id !== null && (
        <Link to={`/deliveries?open=${reason.subject_id}`}>{t('ledger.detail.delivery')}</Link>
      )}
    </li>
  );
}
