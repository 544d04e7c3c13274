import { DownOutlined, RightOutlined } from '@ant-design/icons';
import { useState } from 'react';

import { Chip } from '../design/Chip';
import { useShortcuts } from '../design/shortcuts';
import { useLanguage } from '../i18n/language';
import { useQuality } from './queries';
import { QualityNotes } from './QualityNotes';
import { SeriesStrip } from './SeriesStrip';
import './quality.css';

const OPEN_KEY = 'rdc.quality-open';

/** Above the report: whether the images are whole, and each series at a glance. Open when there is a warning. */
export function QualityPanel({ id }: { id: string }) {
  const { t } = useLanguage();
  const { data } = useQuality(id);
  const [chosen, setChosen] = useState<boolean | null>(() => kept());
  const standing = data?.notes.filter((note) => note.superseded_at === null) ?? [];
  const warnings = standing.filter((note) => note.severity === 'warning').length;
  const open = chosen ?? warnings > 0;
  const toggle = (): void => {
    setChosen(!open);
    sessionStorage.setItem(OPEN_KEY, String(!open));
  };
  useShortcuts({ 'alt+q': toggle });
  // Nothing to look at: an ECG, or a report that came alone.
  if (data === undefined || (data.notes.length === 0 && data.series.every((one) => one.montage === null))) return null;
  return (
    <section className="quality" aria-label={t('quality.title')}>
      <button type="button" className="quality-head" aria-expanded={open} onClick={toggle}>
        {open ? <DownOutlined /> : <RightOutlined />}
        <State state={data.state} warnings={warnings} notes={standing.length} />
        <span className="quiet">{t('quality.series', { n: data.series.length })}</span>
      </button>
      {open && (
        <div className="quality-body">
          <QualityNotes notes={data.notes} advise={false} />
          <SeriesStrip series={data.series} />
        </div>
      )}
    </section>
  );
}

function State({ state, warnings, notes }: { state: string; warnings: number; notes: number }) {
  const { t } = useLanguage();
  if (notes > 0) return <Chip tone={warnings > 0 ? 'amber' : 'blue'}>{t('quality.warnings', { n: notes })}</Chip>;
  if (state === 'pending') {
    return (
      <Chip tone="slate" hollow>
        {t('quality.pending')}
      </Chip>
    );
  }
  if (state === 'failed') return <Chip tone="amber">{t('quality.failed')}</Chip>;
  return <Chip tone="green">{t('quality.fine')}</Chip>;
}

function kept(): boolean | null {
  const value = sessionStorage.getItem(OPEN_KEY);
  return value === null ? null : value === 'true';
}
