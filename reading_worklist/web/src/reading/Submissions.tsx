import { Collapse } from 'antd';

import type { Submission, WorkitemDetail } from '../api/types';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { CodesView } from './CodesForm';
import { ReportTextView } from './ReportTextView';
import { TextChanges } from './TextChanges';

/** The reviewer's comment, so that the writer cannot miss it. */
export function ReturnedNotice({
  submission,
  item,
  revision = 0,
}: {
  submission: Submission | undefined;
  /** With the revision of the saved draft: lets the writer see what he has changed since. */
  item?: WorkitemDetail;
  revision?: number;
}) {
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
      {item !== undefined && revision > 0 && (
        <details className="returned-changes">
          <summary>{t('compare.sinceReturn')}</summary>
          <TextChanges id={item.id} lane={item.lane} from={submission.id} to={null} revision={revision} />
        </details>
      )}
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
              <CodesView codes={submission.codes} />
            </div>
          )),
        },
      ]}
    />
  );
}
