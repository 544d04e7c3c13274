import type { Lane, ReportText } from '../api/types';
import { useLanguage } from '../i18n/language';
import { type Field, FIELDS } from './reportFields';

/** The heading of a part of the report; an ECG's parts have their own names. */
export function useFieldName(lane: Lane): (field: Field) => string {
  const { t } = useLanguage();
  return (field) => (field === 'advice' ? t('report.advice') : t(`report.${field}.${lane}`));
}

/** A report's text as it stands. */
export function ReportTextView({ lane, text }: { lane: Lane; text: ReportText }) {
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
    </div>
  );
}
