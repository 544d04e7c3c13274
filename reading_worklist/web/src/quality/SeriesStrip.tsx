import { LeftOutlined, RightOutlined } from '@ant-design/icons';
import { Button, Modal } from 'antd';
import { useState } from 'react';

import type { SeriesPicture } from '../api/types';
import { useLanguage } from '../i18n/language';
import { seriesName } from './words';

type Shown = SeriesPicture & { montage: NonNullable<SeriesPicture['montage']> };

const isShown = (series: SeriesPicture): series is Shown => series.montage !== null;

/** The series of an exam at a glance; a picture opens large, arrow keys go on to the next. */
export function SeriesStrip({ series }: { series: readonly SeriesPicture[] }) {
  const { t, language } = useLanguage();
  const [open, setOpen] = useState<number | null>(null);
  const shown = series.filter(isShown);
  return (
    <>
      <ul className="series-strip">
        {series.map((one) => {
          const name = seriesName(language, one);
          return (
            <li key={one.series_instance_uid}>
              {isShown(one) ? (
                <button
                  type="button"
                  className="series-tile"
                  aria-label={t('quality.enlarge', { name })}
                  onClick={() => setOpen(shown.indexOf(one))}
                >
                  <img
                    src={one.montage.url}
                    alt={t('quality.montage', { name, tiles: one.montage.tiles })}
                    width={one.montage.width}
                    height={one.montage.height}
                    loading="lazy"
                  />
                </button>
              ) : (
                <div className="series-tile series-blank">{t('quality.noMontage')}</div>
              )}
              <div className="series-name" title={name}>
                {name}
              </div>
              <div className="quiet small">
                {[one.modality, t('quality.images', { n: one.instance_count })].filter(Boolean).join(' · ')}
              </div>
            </li>
          );
        })}
      </ul>
      {open !== null && shown[open] !== undefined && (
        <Enlarged
          series={shown[open]}
          onClose={() => setOpen(null)}
          {...(open > 0 ? { onPrevious: () => setOpen(open - 1) } : {})}
          {...(open < shown.length - 1 ? { onNext: () => setOpen(open + 1) } : {})}
        />
      )}
    </>
  );
}

function Enlarged({
  series,
  onClose,
  onPrevious,
  onNext,
}: {
  series: Shown;
  onClose: () => void;
  onPrevious?: () => void;
  onNext?: () => void;
}) {
  const { t, language } = useLanguage();
  const name = seriesName(language, series);
  return (
    <Modal open centered width="auto" title={name} footer={null} onCancel={onClose} className="series-large">
      <div
        className="series-large-row"
        tabIndex={-1}
        ref={(row) => row?.focus()}
        onKeyDown={(event) => {
          if (event.key === 'ArrowLeft') onPrevious?.();
          if (event.key === 'ArrowRight') onNext?.();
        }}
      >
        <Button
          type="text"
          icon={<LeftOutlined />}
          aria-label={t('quality.previous')}
          disabled={onPrevious === undefined}
          onClick={onPrevious}
        />
        <img
          src={series.montage.url}
          alt={t('quality.montage', { name, tiles: series.montage.tiles })}
          width={series.montage.width}
          height={series.montage.height}
        />
        <Button
          type="text"
          icon={<RightOutlined />}
          aria-label={t('quality.next')}
          disabled={onNext === undefined}
          onClick={onNext}
        />
      </div>
    </Modal>
  );
}
