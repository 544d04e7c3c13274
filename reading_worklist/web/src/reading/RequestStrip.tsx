import type { WorkitemDetail } from '../api/types';
import { useLanguage } from '../i18n/language';
import { useRequest } from './request';

/** What a doctor must have read before he writes, always in sight above the report; the rest is in the panel. */
export function RequestStrip({ item, onOpen }: { item: WorkitemDetail; onOpen: () => void }) {
  const { t } = useLanguage();
  const { data: order } = useRequest(item.id);
  if (order === undefined || order === null) return null;
  const words = [order.clinical_diagnosis, order.reason].filter((part) => part !== null && part !== '').join(' · ');
  if (words === '') return null;
  return (
    <button type="button" className="request-strip" title={words} onClick={onOpen}>
      <span className="quiet">{t('request.short')}</span> {words}
    </button>
  );
}
