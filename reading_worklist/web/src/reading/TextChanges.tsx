import { Skeleton } from 'antd';

import type { FieldDifference, Lane } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { FIELDS } from './reportFields';
import { useFieldName } from './ReportTextView';
import { useComparison } from './writing';
import './writing.css';

interface ChangesProps {
  id: string;
  lane: Lane;
  /** Id of a submission or version. */
  from: string;
  /** Null: the saved draft, which is of `revision`. */
  to: string | null;
  revision?: number;
  /** Two columns, the old one on the left; else one text with what went and what came. */
  sideBySide?: boolean;
}

/** What differs between two texts of a report, word by word. */
export function TextChanges({ id, lane, from, to, revision = 0, sideBySide = false }: ChangesProps) {
  const { t } = useLanguage();
  const nameOf = useFieldName(lane);
  const compared = useComparison(id, from, to, revision);
  if (compared.isError) return <ProblemNotice error={compared.error} onRetry={() => void compared.refetch()} />;
  if (compared.data === undefined) return <Skeleton active title={false} paragraph={{ rows: 4 }} />;
  const { data } = compared;
  const fields = data.comparison.changed ? ([...FIELDS, 'comparison'] as const) : FIELDS;
  if (fields.every((field) => !data[field].changed)) return <p className="quiet">{t('compare.none')}</p>;
  return (
    <div className="changes">
      {fields.map((field) => (
        <section key={field}>
          <h3>
            {nameOf(field)}
            {!data[field].changed && <span>{t('compare.same')}</span>}
          </h3>
          {sideBySide ? (
            <div className="changes-both">
              <Marked difference={data[field]} hide="added" />
              <Marked difference={data[field]} hide="removed" />
            </div>
          ) : (
            <Marked difference={data[field]} />
          )}
        </section>
      ))}
    </div>
  );
}

function Marked({ difference, hide }: { difference: FieldDifference; hide?: 'added' | 'removed' }) {
  const { t } = useLanguage();
  const shown = difference.segments.filter((segment) => segment.change !== hide);
  if (shown.length === 0) return <p className="report-none">{t('report.empty')}</p>;
  return (
    <p className="report-body">
      {shown.map((segment, index) => {
        if (segment.change === 'removed') return <del key={index}>{segment.text}</del>;
        if (segment.change === 'added') return <ins key={index}>{segment.text}</ins>;
        return <span key={index}>{segment.text}</span>;
      })}
    </p>
  );
}
