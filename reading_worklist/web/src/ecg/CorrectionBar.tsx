import { Button, Checkbox, InputNumber } from 'antd';

import type { EcgCorrections, EcgMeasured } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { gapFor, isCorrected, NO_CORRECTIONS, POINTS, withBeat, withoutP, withPoint } from './corrections';

interface CorrectionBarProps {
  measured: EcgMeasured | undefined;
  corrections: EcgCorrections;
  /** Whether something was set that is not kept yet. */
  changed: boolean;
  /** Why the present markers cannot be measured with, or could not be kept. */
  error: unknown;
  saving: boolean;
  onChange: (corrections: EcgCorrections) => void;
  onSave: () => void;
  onDiscard: () => void;
}

/** Points of the median beat as numbers, what was done to beats, and the end of correcting. */
export function CorrectionBar(props: CorrectionBarProps) {
  const { measured, corrections, changed, error, saving, onChange, onSave, onDiscard } = props;
  const { t } = useLanguage();
  const points = measured?.points ?? null;
  const gap = gapFor(measured?.beats ?? [], null);
  return (
    <section className="ecg-correcting" aria-label={t('ecg.correct')}>
      <div className="ecg-points">
        {POINTS.map(([point]) => (
          <label key={point}>
            {t(`ecg.point.${point}`)}
            <InputNumber
              size="small"
              controls={false}
              className={`ecg-point${corrections[point] === null ? '' : ' ecg-by-hand'}`}
              min={-2000}
              max={2000}
              precision={0}
              disabled={points === null || (corrections.no_p && point.startsWith('p_'))}
              value={corrections[point] ?? points?.[point] ?? null}
              onChange={(value) => onChange(withPoint(corrections, point, value))}
              aria-label={t(`ecg.point.${point}`)}
            />
          </label>
        ))}
        <span className="quiet">{t('ecg.unit.ms')}</span>
        <Checkbox
          checked={corrections.no_p}
          disabled={points === null}
          onChange={(event) => onChange(withoutP(corrections, event.target.checked))}
        >
          {t('ecg.point.noP')}
        </Checkbox>
        <Button
          size="small"
          disabled={gap === null}
          onClick={() => gap !== null && onChange(withBeat(corrections, gap))}
        >
          {t('ecg.beat.add')}
        </Button>
      </div>
      <div className="ecg-keep">
        <span className="quiet">
          {t('ecg.correct.beats', {
            added: corrections.added_beats.length,
            removed: corrections.removed_beats.length,
          })}
        </span>
        <Button size="small" type="primary" disabled={!changed} loading={saving} onClick={onSave}>
          {t('ecg.correct.save')}
        </Button>
        <Button size="small" disabled={!isCorrected(corrections)} onClick={() => onChange(NO_CORRECTIONS)}>
          {t('ecg.correct.automatic')}
        </Button>
        <Button size="small" onClick={onDiscard}>
          {t(changed ? 'ecg.correct.discard' : 'ecg.correct.end')}
        </Button>
      </div>
      {error !== null && <ProblemNotice error={error} />}
    </section>
  );
}
