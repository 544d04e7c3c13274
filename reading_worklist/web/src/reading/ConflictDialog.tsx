import { useQuery } from '@tanstack/react-query';
import { Button, Modal, Skeleton } from 'antd';

import { answer, api } from '../api/client';
import type { ReportText, WorkitemDetail } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import type { DraftSaver } from './draftSaver';
import { ReportTextView } from './ReportTextView';
import { contentOf } from './useDraft';

/** Two windows saved different texts: both are shown, and the doctor chooses. */
export function ConflictDialog({ item, saver, mine }: { item: WorkitemDetail; saver: DraftSaver; mine: ReportText }) {
  const { t } = useLanguage();
  const theirs = useQuery({
    queryKey: ['draft-conflict', item.id],
    queryFn: () => answer(api.GET('/api/workitems/{workitem_id}', { params: { path: { workitem_id: item.id } } })),
    select: (detail) => detail.draft,
    staleTime: 0,
    gcTime: 0,
  });
  const draft = theirs.data ?? null;
  return (
    <Modal
      open
      closable={false}
      keyboard={false}
      width={860}
      title={t('conflict.title')}
      footer={[
        <Button
          key="theirs"
          disabled={draft === null}
          onClick={() => draft && saver.adopt(contentOf(draft), draft.revision, draft.saved_at)}
        >
          {t('conflict.takeTheirs')}
        </Button>,
        <Button
          key="mine"
          type="primary"
          disabled={draft === null}
          onClick={() => draft && void saver.keepMine(draft.revision)}
        >
          {t('conflict.keepMine')}
        </Button>,
      ]}
    >
      <p>{t('conflict.text')}</p>
      {theirs.isError && <ProblemNotice error={theirs.error} onRetry={() => void theirs.refetch()} />}
      <div className="conflict">
        <section>
          <h2>{t('conflict.mine')}</h2>
          <ReportTextView lane={item.lane} text={mine} />
        </section>
        <section>
          <h2>
            {t('conflict.theirs')}{' '}
            {draft !== null && <small>{t('conflict.savedAt', { time: formatDateTime(draft.saved_at) })}</small>}
          </h2>
          {draft === null ? <Skeleton active /> : <ReportTextView lane={item.lane} text={draft} />}
        </section>
      </div>
    </Modal>
  );
}
