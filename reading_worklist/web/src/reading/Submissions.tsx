import { Collapse } from 'antd';

import type { Submission, WorkitemDetail } from '../api/types';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { ReportTextView } from './ReportTextView';

/** The reviewer's comment, so that the writer cannot miss it. */
export function ReturnedNotice({ submission }: { submission: Submission | undefined }) {
  const { t } = useLanguage();
  const returned = submission?.returned;
  if (!returned) return null;
  return (
    <aside className="returned">
      <p className="returned-title">{t('returned.title')}</p>
      <p className="returned-comment">{returned.comment}</p>
      <p className="returned-by">
        {t('returned.by', { name: returned.reviewer.display_name, time: formatDateTime(returned.at) })}
      </p>
    </aside>
  );
}

/** What was submitted before the last submission, with the comments it came back with. */
export function EarlierSubmissions({ item }: { item: WorkitemDetail }) {
  const { t } = useLanguage();
  const earlier = item.submissions.slice(0, -1).reverse();
  if (earlier.length === 0) return null;
  return (
    <Collapse
      size="small"
      className="earlier"
      items={[
        {
          key: 'earlier',
          label: t('review.previous'),
          children: earlier.map((submission) => (
            <div key={submission.id} className="earlier-one">
              <p className="report-meta">
                {t('review.round', { n: submission.number })} · {submission.writer.display_name} ·{' '}
                {formatDateTime(submission.submitted_at)}
              </p>
              <ReturnedNotice submission={submission} />
              <ReportTextView lane={item.lane} text={submission} />
            </div>
          )),
        },
      ]}
    />
  );
}
