import { Button } from 'antd';

import type { WorkitemDetail } from '../api/types';
import { useLanguage } from '../i18n/language';
import { useSession } from '../session/session';
import { EarlierSubmissions, ReturnedNotice } from './Submissions';
import type { Act } from './act';
import { ReportTextView } from './ReportTextView';

/** An exam that this person does not work on right now: who does, and how to take it. */
export function StatusPanel({ item, busy, act }: { item: WorkitemDetail; busy: boolean; act: Act }) {
  const { t } = useLanguage();
  const status = useStatusText(item);
  const submission = item.submissions.at(-1);
  const canClaim = item.actions.includes('claim');
  const canReview = item.actions.includes('review');
  return (
    <>
      <div className="report-scroll">
        <p className="report-status">{status}</p>
        {item.state === 'RETURNED' && <ReturnedNotice submission={submission} />}
        {submission !== undefined && <ReportTextView lane={item.lane} text={submission} />}
        {submission === undefined && item.draft !== null && item.state !== 'QUEUED' && (
          <ReportTextView lane={item.lane} text={item.draft} />
        )}
        <EarlierSubmissions item={item} />
      </div>
      {(canClaim || canReview) && (
        <div className="report-actions">
          {canReview && (
            <Button type="primary" size="large" block loading={busy} onClick={() => void act({ act: 'review' })}>
              {t('action.review')}
            </Button>
          )}
          {canClaim && (
            <Button
              type={canReview ? 'default' : 'primary'}
              size="large"
              block
              loading={busy}
              onClick={() => void act({ act: 'claim' })}
            >
              {item.state === 'RETURNED' ? t('action.claimAgain') : t('action.claim')}
            </Button>
          )}
        </div>
      )}
    </>
  );
}

function useStatusText(item: WorkitemDetail): string {
  const { t } = useLanguage();
  const { data: session } = useSession();
  const holder = item.claimed_by?.display_name ?? t('app.none');
  const writer = item.written_by;
  switch (item.state) {
    case 'QUEUED':
      return item.actions.includes('claim') ? t('status.queued') : t('status.notForYou');
    case 'CLAIMED':
      return t('status.claimedByOther', { name: holder });
    case 'WRITTEN':
    case 'PRELIM_ISSUED':
      return writer !== null && writer.id === session?.person.id
        ? t('status.writtenByMe')
        : t('status.written', { name: writer?.display_name ?? t('app.none') });
    case 'REVIEWING':
      return t('status.reviewingByOther', { name: holder });
    case 'RETURNED':
      return t('status.returned');
    case 'HELD':
      return t('status.held');
    case 'WITHDRAWN':
      return t('status.withdrawn');
    case 'REVOKED':
    case 'ARCHIVED':
      return t(`status.${item.state}`);
    case 'FINAL':
    case 'AMENDED':
    case 'PUBLISHED':
    case 'DELIVERED':
      return t('final.publishing');
  }
}
