import { EditOutlined, LeftOutlined, RightOutlined, ZoomInOutlined, ZoomOutOutlined } from '@ant-design/icons';
import { Button, Segmented, Select, Tooltip } from 'antd';

import type { EcgRecord } from '../api/types';
import { useLanguage } from '../i18n/language';
import type { Trace } from './trace';
import { FILTERS, GAINS, isTrueSize, LAYOUTS, PAGES, RHYTHMS, SPEEDS, type View, type Zoom, zoomStep } from './view';

interface EcgToolbarProps {
  view: View;
  record: EcgRecord | undefined;
  trace: Trace | null;
  zoom: Zoom;
  factor: number;
  /** Null where nobody may correct. */
  correcting: boolean | null;
  onChange: (part: Partial<View>) => void;
  onZoom: (zoom: Zoom) => void;
  onCorrect: () => void;
}

/** How the ECG is drawn: what stands on the page, at which scale, how large on the screen. */
export function EcgToolbar(props: EcgToolbarProps) {
  const { view, record, trace, zoom, factor, correcting, onChange, onZoom, onCorrect } = props;
  const { t } = useLanguage();
  const layout = view.layout ?? record?.natural_layout ?? '3x4';
  const isTrue = isTrueSize(factor);
  const isTrace = view.page === 'trace';
  return (
    <div className="ecg-toolbar" role="toolbar" aria-label={t('ecg.trace')}>
      <Segmented
        aria-label={t('ecg.page')}
        value={view.page}
        options={PAGES.map((page) => ({ value: page, label: t(`ecg.page.${page}`) }))}
        onChange={(page) => onChange({ page })}
      />
      {isTrace && (
        <Segmented
          aria-label={t('ecg.layout')}
          value={layout}
          options={LAYOUTS.map((each) => ({ value: each, label: t(`ecg.layout.${each}`) }))}
          onChange={(chosen) => onChange({ layout: chosen, start: 0 })}
        />
      )}
      <Tooltip title={t('ecg.cabrera.hint')}>
        <Button
          aria-pressed={view.order === 'cabrera'}
          type={view.order === 'cabrera' ? 'primary' : 'default'}
          ghost={view.order === 'cabrera'}
          onClick={() => onChange({ order: view.order === 'cabrera' ? 'standard' : 'cabrera' })}
        >
          {t('ecg.order.cabrera')}
        </Button>
      </Tooltip>
      {isTrace && layout !== '12x1' && (
        <Select
          aria-label={t('ecg.rhythm')}
          className="ecg-rhythm"
          popupMatchSelectWidth={false}
          value={view.rhythm}
          options={RHYTHMS.map((each) => ({
            value: each,
            label:
              each === 'custom' || each === 'none' || each === 'three'
                ? t(`ecg.rhythm.${each}`)
                : t('ecg.rhythm.lead', { lead: each }),
          }))}
          onChange={(rhythm) => onChange({ rhythm })}
        />
      )}
      <Segmented
        aria-label={t('ecg.speed')}
        value={view.speed}
        options={SPEEDS.map((speed) => ({
          value: speed,
          label: speed,
          title: t('ecg.speed.value', { n: speed }),
        }))}
        onChange={(speed) => onChange({ speed })}
      />
      <span className="ecg-unit">{t('ecg.speed.unit')}</span>
      <Segmented
        aria-label={t('ecg.gain')}
        value={view.gain}
        options={GAINS.map((gain) => ({ value: gain, label: gain, title: t('ecg.gain.value', { n: gain }) }))}
        onChange={(gain) => onChange({ gain })}
      />
      <span className="ecg-unit">{t('ecg.gain.unit')}</span>
      {isTrace && (
        <Select
          aria-label={t('ecg.displayFilter')}
          className="ecg-filter"
          popupMatchSelectWidth={false}
          value={view.filter}
          options={FILTERS.map((filter) => ({
            value: filter,
            label: t(`ecg.displayFilter.${filter}`),
          }))}
          onChange={(filter) => onChange({ filter })}
        />
      )}
      {isTrace && trace !== null && <Paging trace={trace} onStart={(start) => onChange({ start })} />}
      {correcting !== null && (
        <Button
          icon={<EditOutlined />}
          aria-pressed={correcting}
          type={correcting ? 'primary' : 'default'}
          onClick={onCorrect}
        >
          {t('ecg.correct')}
        </Button>
      )}
      <span className="ecg-space" />
      <span className="ecg-zoom" role="group" aria-label={t('ecg.zoom')}>
        <Button
          aria-label={t('ecg.zoom.out')}
          icon={<ZoomOutOutlined />}
          onClick={() => onZoom(zoomStep(factor, -1))}
        />
        <Tooltip title={t('ecg.zoom.true')}>
          <Button
            aria-pressed={isTrue}
            type={isTrue && zoom !== 'fit' ? 'primary' : 'default'}
            onClick={() => onZoom(1)}
          >
            {t('ecg.zoom.oneToOne')}
          </Button>
        </Tooltip>
        <Button
          aria-pressed={zoom === 'fit'}
          type={zoom === 'fit' ? 'primary' : 'default'}
          onClick={() => onZoom('fit')}
        >
          {t('ecg.zoom.fit')}
        </Button>
        <Button aria-label={t('ecg.zoom.in')} icon={<ZoomInOutlined />} onClick={() => onZoom(zoomStep(factor, 1))} />
      </span>
    </div>
  );
}

/** Turns the pages of a record that is longer than one. */
function Paging({ trace, onStart }: { trace: Trace; onStart: (start: number) => void }) {
  const { t } = useLanguage();
  const next = trace.nextStartSeconds;
  if (trace.startSeconds === 0 && next === null) return null;
  return (
    <span className="ecg-paging">
      <Button
        aria-label={t('ecg.page.previous')}
        icon={<LeftOutlined />}
        disabled={trace.startSeconds === 0}
        onClick={() => onStart(Math.max(0, trace.startSeconds - trace.pageSeconds))}
      />
      <span>
        {t('ecg.page.range', {
          from: rounded(trace.startSeconds),
          to: rounded(Math.min(trace.durationSeconds, trace.startSeconds + trace.pageSeconds)),
          total: rounded(trace.durationSeconds),
        })}
      </span>
      <Button
        aria-label={t('ecg.page.next')}
        icon={<RightOutlined />}
        disabled={next === null}
        onClick={() => next !== null && onStart(next)}
      />
    </span>
  );
}

function rounded(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
