import { ShareAltOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useState } from 'react';

import { Chip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { ReasonDialog } from '../design/ReasonDialog';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { type Share, useRevokeShare, useShares } from './queries';
import { ShareDialog } from './ShareDialog';
import './shares.css';

/** The links by which one exam is shown outside: made here, and taken back here. */
export function ExamShares({ workitem }: { workitem: string }) {
  const { t } = useLanguage();
  const shares = useShares(workitem);
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Share | null>(null);
  const revoke = useRevokeShare(workitem);
  if (shares.isError) return <ProblemNotice error={shares.error} onRetry={() => void shares.refetch()} />;
  const items = shares.data?.items ?? [];
  return (
    <section className="shares" aria-label={t('share.links')}>
      {items.length > 0 && (
        <ul>
          {items.map((share) => (
            <li key={share.id} className={share.active ? 'share' : 'share share-ended'}>
              <span className="strong">{share.recipient}</span>
              <span className="quiet small">
                {t(share.active ? 'share.until' : 'share.ended', { time: formatDateTime(share.ends_at) })} ·{' '}
                {t('share.opened', { n: share.opened })} · {share.made_by} · {share.basis}
              </span>
              {share.active ? (
                <Button size="small" danger onClick={() => setRevoking(share)}>
                  {t('share.revoke')}
                </Button>
              ) : (
                <>
                  {share.guessed && <Chip tone="amber">{t('share.guessed')}</Chip>}
                  {share.revoked_because !== null && (
                    <span className="quiet small">{t('share.revokedBecause', { reason: share.revoked_because })}</span>
                  )}
                </>
              )}
            </li>
          ))}
        </ul>
      )}
      <Button icon={<ShareAltOutlined />} onClick={() => setMaking(true)}>
        {t('share.make')}
      </Button>
      {making && <ShareDialog workitem={workitem} onClose={() => setMaking(false)} />}
      {revoking !== null && (
        <ReasonDialog
          title={t('share.revoke.title')}
          confirm={t('share.revoke')}
          danger
          longest={200}
          onConfirm={(reason) => revoke.mutateAsync({ id: revoking.id, reason })}
          onClose={() => setRevoking(null)}
        >
          <p>
            {revoking.recipient}. {t('share.revoke.text')}
          </p>
        </ReasonDialog>
      )}
    </section>
  );
}
