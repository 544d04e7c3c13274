import { Skeleton } from 'antd';

import { Chip } from '../design/Chip';
import { Empty, ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import type { PanelProps } from '../reading/panel';
import { useQuality } from './queries';
import { QualityNotes } from './QualityNotes';
import { SeriesStrip } from './SeriesStrip';
import './quality.css';

/** Whether the images are whole, and each series at a glance. */
export function QualityPanel({ item }: PanelProps) {
  const { t } = useLanguage();
  const { data, error, isError, refetch } = useQuality(item.id);
  if (isError) return <ProblemNotice error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Skeleton active />;
  const standing = data.notes.filter((note) => note.superseded_at === null);
  const warnings = standing.filter((note) => note.severity === 'warning').length;
  // A report or a document that came alone has no pictures to look through.
  if (data.notes.length === 0 && data.series.length === 0) return <Empty title={t('quality.nothing')} />;
  return (
    <>
      <p className="quality-state">
        <State state={data.state} warnings={warnings} notes={standing.length} />
        <span className="quiet">{t('quality.series', { n: data.series.length })}</span>
      </p>
      <QualityNotes notes={data.notes} advise={false} />
      <SeriesStrip series={data.series} />
    </>
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
