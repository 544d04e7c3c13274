import { Segmented } from 'antd';

import type { EcgSerial } from '../api/types';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';

export const COMPARISONS = ['beside', 'over'] as const;
export type Comparing = (typeof COMPARISONS)[number];
export type Alignment = 'r' | 'j';

/** How the earlier ECG is shown, and how long before it was. */
export function CompareBar({
  comparing,
  alignment,
  serial,
  onComparing,
  onAlignment,
}: {
  comparing: Comparing;
  alignment: Alignment;
  serial: EcgSerial | undefined;
  onComparing: (comparing: Comparing) => void;
  onAlignment: (alignment: Alignment) => void;
}) {
  const { t } = useLanguage();
  const then = serial?.then_at ?? null;
  return (
    <div className="ecg-compare" role="toolbar" aria-label={t('ecg.compare')}>
      <Segmented
        size="small"
        aria-label={t('ecg.compare')}
        value={comparing}
        options={COMPARISONS.map((each) => ({ value: each, label: t(`ecg.compare.${each}`) }))}
        onChange={onComparing}
      />
      {comparing === 'over' && (
        <Segmented<Alignment>
          size="small"
          aria-label={t('ecg.align')}
          value={alignment}
          options={[
            { value: 'r', label: t('ecg.align.r') },
            { value: 'j', label: t('ecg.align.j') },
          ]}
          onChange={onAlignment}
        />
      )}
      {then !== null && (
        <span className="quiet">
          {t('ecg.compare.then', {
            time: formatDateTime(then),
            days: Math.round((serial?.seconds_between ?? 0) / 86_400),
          })}
        </span>
      )}
    </div>
  );
}
