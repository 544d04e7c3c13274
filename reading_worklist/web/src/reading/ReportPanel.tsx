import { App } from 'antd';

import type { WorkitemDetail } from '../api/types';
import { useRefusal } from '../design/useRefusal';
import type { PlainKey } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import { DraftEditor } from './DraftEditor';
import { FinalPanel } from './FinalPanel';
import type { Act } from './act';
import { useWorkitemAct, type WorkitemAct } from './queries';
import { ReviewPanel } from './ReviewPanel';
import { StatusPanel } from './StatusPanel';

export type Mode = 'write' | 'review' | 'signed' | 'status';

/** What the panel is for: the server says what this person may do, the state says what there is to see. */
export function modeOf(item: WorkitemDetail): Mode {
  if (item.state === 'CLAIMED' && item.actions.includes('save_draft')) return 'write';
  if (item.state === 'REVIEWING' && item.actions.includes('finalise')) return 'review';
  return item.versions.length > 0 ? 'signed' : 'status';
}

const DONE: Record<WorkitemAct['act'], PlainKey> = {
  claim: 'action.done.claim',
  release: 'action.done.release',
  submit: 'action.done.submit',
  review: 'action.done.review',
  return: 'action.done.return',
  finalise: 'action.done.finalise',
  preliminary: 'issue.done.preliminary',
  alone: 'issue.done.alone',
  amend: 'amend.done',
  abandon: 'amend.abandoned',
  proposeRevocation: 'revoke.done.propose',
  confirmRevocation: 'revoke.done.confirm',
  declineRevocation: 'revoke.done.decline',
  reopen: 'revoke.done.reopen',
};

const IN_DIALOG: ReadonlySet<WorkitemAct['act']> = new Set<WorkitemAct['act']>([
  'submit',
  'finalise',
  'preliminary',
  'alone',
  'amend',
  'proposeRevocation',
]);

export function ReportPanel({ item }: { item: WorkitemDetail }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const refused = useRefusal();
  const { mutateAsync, isPending } = useWorkitemAct(item.id);

  const act: Act = async (request) => {
    try {
      await mutateAsync(request);
      void message.success(t(DONE[request.act]));
      return true;
    } catch (error) {
      // A dialog shows its own refusals, beside the field.
      if (IN_DIALOG.has(request.act)) throw error;
      refused(error);
      return false;
    }
  };

  const mode = modeOf(item);
  return (
    <section className="report" aria-label={t('reading.panel')}>
      {item.late_instances && <p className="report-late">{t('reading.late')}</p>}
      {mode === 'write' && <DraftEditor item={item} busy={isPending} act={act} />}
      {mode === 'review' && <ReviewPanel item={item} busy={isPending} act={act} />}
      {mode === 'signed' && <FinalPanel item={item} busy={isPending} act={act} />}
      {mode === 'status' && <StatusPanel item={item} busy={isPending} act={act} />}
    </section>
  );
}
