import { Button, Skeleton } from 'antd';

import type { PriorStudy } from '../api/types';
import { Chip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { isPlainKey } from '../i18n/catalogue';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { useInsert } from '../reading/insertions';
import { ReportTextView } from '../reading/ReportTextView';
import { comparisonPhrase, quotedImpression } from './phrase';
import { usePriorReport } from './queries';

/** What was reported then, beside the report that is being written, and the ways of taking it over. */
export function PriorReportView({ id, prior }: { id: string; prior: PriorStudy }) {
  const { t, language } = useLanguage();
  const report = usePriorReport(id, prior.study_id);
  const insert = useInsert();
  if (report.isError) return <ProblemNotice error={report.error} onRetry={() => void report.refetch()} />;
  if (report.data === undefined) return <Skeleton active paragraph={{ rows: 4 }} />;
  const { data } = report;
  const statusKey = `final.status.${data.status}`;
  return (
    <div className="prior-report">
      <p className="quiet small">
        <Chip tone={data.status === 'preliminary' ? 'amber' : 'green'}>
          {isPlainKey(statusKey) ? t(statusKey) : data.status}
        </Chip>{' '}
        {data.diagnosing} · {[data.writer, data.reviewer].filter((name) => name !== null).join(' / ')} ·{' '}
        {formatDateTime(data.issued_at)}
      </p>
      <ReportTextView lane={prior.lane ?? 'imaging'} text={data} />
      {insert !== null && (
        <div className="prior-take">
          <Button size="small" onClick={() => insert({ field: 'comparison', text: comparisonPhrase(language, prior) })}>
            {t('priors.takePhrase')}
          </Button>
          <Button
            size="small"
            onClick={() => insert({ field: 'comparison', text: quotedImpression(language, prior, data) })}
          >
            {t('priors.takeImpression')}
          </Button>
        </div>
      )}
    </div>
  );
}
