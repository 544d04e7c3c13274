import { useLanguage } from '../i18n/language';
import { useQuality } from './queries';
import { QualityNotes } from './QualityNotes';
import { SeriesStrip } from './SeriesStrip';
import './quality.css';

/** For the people of the site: what the centre noticed about their images, and what to do about it. */
export function QualityFeedback({ id }: { id: string }) {
  const { t } = useLanguage();
  const { data } = useQuality(id);
  if (data === undefined || (data.notes.length === 0 && data.series.every((one) => one.montage === null))) return null;
  return (
    <section className="quality-feedback" aria-label={t('quality.feedback')}>
      <h2>{t('quality.feedback')}</h2>
      {data.notes.length === 0 && data.state === 'checked' && <p className="quiet">{t('quality.fine')}</p>}
      {data.state === 'pending' && <p className="quiet">{t('quality.pending')}</p>}
      <QualityNotes notes={data.notes} advise />
      <SeriesStrip series={data.series} />
    </section>
  );
}
