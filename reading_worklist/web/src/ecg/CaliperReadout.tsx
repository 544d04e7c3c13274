import { Button, Checkbox, Tooltip } from 'antd';
import type { ReactNode } from 'react';

import { useLanguage } from '../i18n/language';
import type { Measurement } from './caliper';

/** `612 ms · 0.35 mV · 98 bpm`. */
export function useMeasurementWords(): (measurement: Measurement) => string {
  const { t } = useLanguage();
  return ({ milliseconds, millivolts, perMinute }) =>
    [
      t('caliper.milliseconds', { n: Math.round(milliseconds) }),
      t('caliper.millivolts', { n: signed(millivolts) }),
      perMinute === null ? null : t('caliper.rate', { n: Math.round(perMinute) }),
    ]
      .filter((part) => part !== null)
      .join(' · ');
}

function signed(millivolts: number): string {
  const text = Math.abs(millivolts).toFixed(2);
  return millivolts < 0 && text !== '0.00' ? `−${text}` : text;
}

interface CaliperReadoutProps {
  measurement: Measurement | null;
  marching: boolean;
  onMarch: (marching: boolean) => void;
  onClear: () => void;
  children: ReactNode;
}

/** What the caliper shows, in words that a screen reader reads too. */
export function CaliperReadout({ measurement, marching, onMarch, onClear, children }: CaliperReadoutProps) {
  const { t } = useLanguage();
  const wordsOf = useMeasurementWords();
  return (
    <div className="readout">
      <output id="caliper-readout" className={`readout-value${measurement === null ? '' : ' readout-measured'}`}>
        {measurement === null ? t('caliper.help') : wordsOf(measurement)}
      </output>
      {measurement !== null && (
        <>
          <Tooltip title={t('caliper.marchHint')}>
            <Checkbox checked={marching} onChange={(event) => onMarch(event.target.checked)}>
              {t('caliper.march')}
            </Checkbox>
          </Tooltip>
          <Button size="small" onClick={onClear}>
            {t('caliper.clear')}
          </Button>
        </>
      )}
      {children}
    </div>
  );
}
