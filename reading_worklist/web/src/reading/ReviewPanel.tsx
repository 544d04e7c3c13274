import { App, Button, Popconfirm, Segmented } from 'antd';
import { useState } from 'react';

import { keys } from '../api/keys';
import type { Submission, WorkitemDetail } from '../api/types';
import { PdfFrame } from '../design/PdfFrame';
import { useShortcuts } from '../design/shortcuts';
import { isPlainKey } from '../i18n/catalogue';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import type { Act } from './act';
import { ChecksList } from './ChecksList';
import { CodesView } from './CodesForm';
import { ReportTextView } from './ReportTextView';
import { ReturnDialog } from './ReturnDialog';
import { SignDialog } from './SignDialog';
import { EarlierSubmissions, ReturnedNotice } from './Submissions';
import { TextChanges } from './TextChanges';
import { useChecks } from './writing';

/** Reviewing: what the writer signed, as text and as the very document; give it back or sign it. */
export function ReviewPanel({ item, busy, act }: { item: WorkitemDetail; busy: boolean; act: Act }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const [view, setView] = useState<'text' | 'changes' | 'document'>(item.submissions.length > 1 ? 'changes' : 'text');
  const [dialog, setDialog] = useState<'return' | 'finalise' | null>(null);
  const checks = useChecks(item.id, null);
  const findings = checks.data?.findings ?? [];
  const answered = checks.data?.answered ?? [];
  const startSigning = async (): Promise<void> => {
    // What is known of the exam may have changed while this was read.
    const { data } = await checks.refetch();
    if (data?.findings.some((one) => one.severity === 'block') === true) void message.warning(t('checks.stopped'));
    else setDialog('finalise');
  };
  useShortcuts({ 'ctrl+Enter': () => void startSigning() });
  const submission = item.submissions.at(-1);
  const before = item.submissions.at(-2);
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
            { value: 'text' as const, label: t('review.text') },
            ...(before === undefined ? [] : [{ value: 'changes' as const, label: t('compare.changes') }]),
            { value: 'document', label: t('review.document') },
          ]}
          onChange={setView}
        />
      </div>
      {view !== 'document' ? (
        <div className="report-scroll">
          {view === 'changes' && before !== undefined ? (
            <>
              <ReturnedNotice submission={before} />
              <TextChanges id={item.id} lane={item.lane} from={before.id} to={submission.id} />
            </>
          ) : (
            <ReportTextView lane={item.lane} text={submission} />
          )}
          <CodesView codes={submission.codes} />
          <ChecksList findings={findings} failed={checks.isError} answered={answered} />
          <Overridden submission={submission} />
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
          onClick={() => void startSigning()}
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
          written={null}
          kind="finalise"
          item={item}
          warnings={findings.filter((one) => !answered.includes(one.key))}
          onSign={async (pin, _language, reasons) => {
            await act({ act: 'finalise', pin, reasons });
          }}
          onClose={() => setDialog(null)}
        />
      )}
    </>
  );
}

/** Over which warnings somebody has signed, and why. */
function Overridden({ submission }: { submission: Submission }) {
  const { t } = useLanguage();
  if (submission.overridden.length === 0) return null;
  return (
    <section className="overridden">
      <h2>{t('checks.overridden')}</h2>
      <ul>
        {submission.overridden.map((one) => {
          const key = `check.${one.code}`;
          return (
            <li key={one.key}>
              {isPlainKey(key) ? t(key) : one.code}
              {one.excerpt !== '' && <q>{one.excerpt}</q>}
              <strong>{one.reason}</strong>
              <span className="quiet small">{one.person.display_name}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
