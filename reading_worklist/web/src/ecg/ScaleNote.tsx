import { Tooltip } from 'antd';

import { useLanguage } from '../i18n/language';
import type { Calibration } from './calibration';
import { isTrueSize } from './view';

/** Says whether the millimetres on the screen are true, and leads to the calibration that makes them so. */
export function ScaleNote({
  factor,
  calibration,
  onCalibrate,
}: {
  factor: number;
  calibration: Calibration;
  onCalibrate: () => void;
}) {
  const { t } = useLanguage();
  const isTrue = isTrueSize(factor);
  const words = isTrue ? t('ecg.scale.true') : t('ecg.scale.zoomed', { percent: Math.round(factor * 100) });
  return (
    <span className="ecg-scale">
      <span className={isTrue && calibration.calibrated ? 'ecg-scale-true' : undefined}>{words}</span>
      <Tooltip title={calibration.calibrated ? t('calibration.open') : t('ecg.scale.uncalibrated')}>
        <button
          type="button"
          className={`link-button${calibration.calibrated ? '' : ' ecg-uncalibrated'}`}
          onClick={onCalibrate}
        >
          {calibration.calibrated ? t('calibration.done') : t('calibration.open')}
        </button>
      </Tooltip>
    </span>
  );
}
