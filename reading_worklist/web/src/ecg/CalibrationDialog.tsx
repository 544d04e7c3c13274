import { Button, Modal, Slider } from 'antd';
import { useId, useState } from 'react';

import { useLanguage } from '../i18n/language';
import {
  CARD_HEIGHT_MM,
  CARD_WIDTH_MM,
  type Calibration,
  keepCalibration,
  LARGEST_PIXELS_PER_MM,
  NOMINAL_PIXELS_PER_MM,
  SMALLEST_PIXELS_PER_MM,
} from './calibration';

const STEP = 0.01;

/** Lets a person measure the screen with a card that everybody has. */
export function CalibrationDialog({ present, onClose }: { present: Calibration; onClose: () => void }) {
  const { t } = useLanguage();
  const [scale, setScale] = useState(present.calibrated ? present.pixelsPerMm : NOMINAL_PIXELS_PER_MM);
  const labelId = useId();
  return (
    <Modal
      open
      width="min(1080px, 94vw)"
      title={t('calibration.title')}
      onCancel={onClose}
      footer={[
        present.calibrated && (
          <Button
            key="reset"
            onClick={() => {
              keepCalibration(null);
              onClose();
            }}
          >
            {t('calibration.reset')}
          </Button>
        ),
        <Button
          key="save"
          type="primary"
          onClick={() => {
            keepCalibration(scale);
            onClose();
          }}
        >
          {t('app.save')}
        </Button>,
      ]}
    >
      <p>{t('calibration.text')}</p>
      <div className="card-stage">
        <div className="card" style={{ width: CARD_WIDTH_MM * scale, height: CARD_HEIGHT_MM * scale }}>
          <span>{t('calibration.card')}</span>
        </div>
      </div>
      <label id={labelId}>{t('calibration.width')}</label>
      <Slider
        aria-labelledby={labelId}
        min={SMALLEST_PIXELS_PER_MM}
        max={LARGEST_PIXELS_PER_MM}
        step={STEP}
        value={scale}
        onChange={setScale}
        tooltip={{ formatter: (value) => t('calibration.value', { n: (value ?? scale).toFixed(2) }) }}
      />
      <p className="card-check">{t('calibration.check')}</p>
    </Modal>
  );
}
