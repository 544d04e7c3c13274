import { Button, Checkbox, Tooltip } from 'antd';
import type { ReactNode } from 'react';

import { useLanguage } from '../i18n/language';
import type { Measurement } from './caliper';
import type { Reading } from './leadsOnPage';
import type { Tools } from './view';

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
  hover: Reading | null;
  tools: Tools;
  onTools: (part: Partial<Tools>) => void;
  /** Shown while nothing is measured. */
  help: string;
  onClear: () => void;
  children: ReactNode;
}

/** What caliper and pointer show, in words that a screen reader reads too. */
export function CaliperReadout({ measurement, hover, tools, onTools, help, onClear, children }: CaliperReadoutProps) {
  const { t } = useLanguage();
  const wordsOf = useMeasurementWords();
  return (
    <div className="readout">
      <output id="caliper-readout" className={`readout-value${measurement === null ? '' : ' readout-measured'}`}>
        {measurement === null ? help : wordsOf(measurement)}
      </output>
      {hover !== null && (
        <span className="readout-hover">
          <strong>{hover.lead}</strong> {t('ecg.hover.seconds', { n: hover.seconds.toFixed(3) })}{' '}
          {hover.millivolts === null ? t('ecg.hover.none') : t('caliper.millivolts', { n: signed(hover.millivolts) })}
        </span>
      )}
      {measurement !== null && (
        <>
          <Tooltip title={t('caliper.marchHint')}>
            <Checkbox checked={tools.marching} onChange={(event) => onTools({ marching: event.target.checked })}>
              {t('caliper.march')}
            </Checkbox>
          </Tooltip>
          <Tooltip title={t('caliper.snapHint')}>
            <Checkbox checked={tools.snapping} onChange={(event) => onTools({ snapping: event.target.checked })}>
              {t('caliper.snap')}
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
