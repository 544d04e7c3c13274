import { Button, Popconfirm, Segmented } from 'antd';
import { useState } from 'react';

import { keys } from '../api/keys';
import type { WorkitemDetail } from '../api/types';
import { PdfFrame } from '../design/PdfFrame';
import { useShortcuts } from '../design/shortcuts';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import type { Act } from './act';
import { ReportTextView } from './ReportTextView';
import { ReturnDialog } from './ReturnDialog';
import { SignDialog } from './SignDialog';
import { EarlierSubmissions } from './Submissions';

/** Reviewing: what the writer signed, as text and as the very document; give it back or sign it. */
export function ReviewPanel({ item, busy, act }: { item: WorkitemDetail; busy: boolean; act: Act }) {
  const { t } = useLanguage();
  const [view, setView] = useState<'text' | 'document'>('text');
  const [dialog, setDialog] = useState<'return' | 'finalise' | null>(null);
  useShortcuts({ 'ctrl+Enter': () => setDialog('finalise') });
  const submission = item.submissions.at(-1);
  if (submission === undefined) return null;
  return (
    <>
      <div className="report-head">
        <div className="report-meta">
          {t('review.round', { n: submission.number })} · {t('review.writer')}{' '}
          <strong>{submission.writer.display_name}</strong> · {formatDateTime(submission.submitted_at)}
        </div>
        <Segmented
          aria-label={t('review.title')}
          size="small"
          value={view}
          options={[
            { value: 'text', label: t('review.text') },
            { value: 'document', label: t('review.document') },
          ]}
          onChange={setView}
        />
      </div>
      {view === 'text' ? (
        <div className="report-scroll">
          <ReportTextView lane={item.lane} text={submission} />
          <EarlierSubmissions item={item} />
        </div>
      ) : (
        <PdfFrame
          title={t('review.documentTitle')}
          address={`/api/workitems/${item.id}/submission.pdf`}
          queryKey={keys.submission(item.id, submission.number)}
        />
      )}
      <div className="report-actions">
        <Popconfirm
          title={t('action.releaseReview')}
          okText={t('action.releaseReview')}
          cancelText={t('app.cancel')}
          onConfirm={() => void act({ act: 'release' })}
        >
          <Button size="large">{t('action.releaseReview')}</Button>
        </Popconfirm>
        <Button size="large" className="report-return" onClick={() => setDialog('return')}>
          {t('action.return')}
        </Button>
        <Button
          type="primary"
          size="large"
          className="report-main-action"
          loading={busy}
          onClick={() => setDialog('finalise')}
        >
          {t('action.finalise')}
        </Button>
      </div>
      {dialog === 'return' && (
        <ReturnDialog
          busy={busy}
          onReturn={async (comment) => {
            if (await act({ act: 'return', comment })) setDialog(null);
          }}
          onClose={() => setDialog(null)}
        />
      )}
      {dialog === 'finalise' && (
        <SignDialog
          kind="finalise"
          item={item}
          onSign={async (pin) => {
            await act({ act: 'finalise', pin });
          }}
          onClose={() => setDialog(null)}
        />
      )}
    </>
  );
}
