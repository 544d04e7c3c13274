import type { Lane, ReportText } from '../api/types';
import { useLanguage } from '../i18n/language';
import { type Area, FIELDS } from './reportFields';

/** The heading of a part of the report; an ECG's parts have their own names. */
export function useFieldName(lane: Lane): (field: Area) => string {
  const { t } = useLanguage();
  return (field) =>
    field === 'advice' || field === 'comparison' || field === 'addendum'
      ? t(`report.${field}`)
      : t(`report.${field}.${lane}`);
}

/** A report's text as it stands, and below it what is added by it. */
export function ReportTextView({
  lane,
  text,
}: {
  lane: Lane;
  text: ReportText & { comparison?: string; addendum?: string };
}) {
  const { t } = useLanguage();
  const nameOf = useFieldName(lane);
  return (
    <div className="report-view">
      {FIELDS.map((field) => (
        <section key={field}>
          <h2>{nameOf(field)}</h2>
          {text[field].trim() === '' ? (
            <p className="report-none">{t('report.empty')}</p>
          ) : (
            <p className="report-body">{text[field]}</p>
          )}
        </section>
      ))}
      {text.comparison !== undefined && text.comparison !== '' && (
        <section>
          <h2>{nameOf('comparison')}</h2>
          <p className="report-body">{text.comparison}</p>
        </section>
      )}
      {text.addendum !== undefined && text.addendum !== '' && (
        <section>
          <h2>{nameOf('addendum')}</h2>
          <p className="report-body">{text.addendum}</p>
        </section>
      )}
    </div>
  );
}
