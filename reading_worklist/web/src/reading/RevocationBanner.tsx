import { Button, Popconfirm } from 'antd';

import type { WorkitemDetail } from '../api/types';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { useSession } from '../session/session';
import type { Act } from './act';
import './writing.css';

/** A proposal to declare the report void, for the second person; or that it is void. */
export function RevocationBanner({ item, busy, act }: { item: WorkitemDetail; busy: boolean; act: Act }) {
  const { t } = useLanguage();
  const { data: session } = useSession();
  const { revocation } = item;
  if (revocation === null) return null;
  const { state, reason, proposed_by: by, proposed_at: at } = revocation;
  if (state === 'CONFIRMED' && item.state === 'REVOKED') {
    const name = revocation.decided_by?.display_name ?? t('app.none');
    const time = revocation.decided_at === null ? t('app.none') : formatDateTime(revocation.decided_at);
    return (
      <aside className="revocation" role="alert">
        <p className="strong">{t('revoke.revokedBy', { name, time })}</p>
        <p>{reason}</p>
      </aside>
    );
  }
  if (state !== 'PROPOSED') return null;
  const mine = by.id === session?.person.id;
  const decides = item.actions.includes('revoke') && !mine;
  return (
    <aside className="revocation" role="alert">
      <p className="strong">{t('revoke.proposed', { name: by.display_name, time: formatDateTime(at) })}</p>
      <p>{reason}</p>
      {!decides && <p className="quiet small">{t('revoke.waiting')}</p>}
      {(mine || decides) && (
        <div className="sign-buttons">
          <Button loading={busy} onClick={() => void act({ act: 'declineRevocation' })}>
            {t(mine ? 'revoke.withdraw' : 'revoke.decline')}
          </Button>
          {decides && (
            <Popconfirm
              title={t('revoke.confirm')}
              description={t('revoke.confirm.text')}
              okText={t('revoke.confirm')}
              okButtonProps={{ danger: true }}
              cancelText={t('app.cancel')}
              onConfirm={() => void act({ act: 'confirmRevocation' })}
            >
              <Button danger type="primary" loading={busy}>
                {t('revoke.confirm')}
              </Button>
            </Popconfirm>
          )}
        </div>
      )}
    </aside>
  );
}
