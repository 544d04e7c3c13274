import { Button, Segmented } from 'antd';
import { useState } from 'react';

import type { WorkitemDetail } from '../api/types';
import { ReasonDialog } from '../design/ReasonDialog';
import { useLanguage } from '../i18n/language';
import type { Act } from './act';

type Dialog = 'amend' | 'revoke' | null;

/** What may be done with an issued report: go on with its review, replace it, have it declared void. */
export function IssuedActions({ item, busy, act }: { item: WorkitemDetail; busy: boolean; act: Act }) {
  const { t } = useLanguage();
  const [dialog, setDialog] = useState<Dialog>(null);
  const [addendum, setAddendum] = useState(false);
  const may = (action: string): boolean => item.actions.includes(action);
  const buttons = [
    may('propose_revocation') && (
      <Button key="revoke" size="large" danger onClick={() => setDialog('revoke')}>
        {t('revoke.propose')}
      </Button>
    ),
    may('amend') && (
      <Button key="amend" size="large" onClick={() => setDialog('amend')}>
        {t('amend.start')}
      </Button>
    ),
    may('reopen') && (
      <Button key="reopen" size="large" loading={busy} onClick={() => void act({ act: 'reopen' })}>
        {t('revoke.reopen')}
      </Button>
    ),
    may('claim') && (
      <Button key="claim" size="large" loading={busy} onClick={() => void act({ act: 'claim' })}>
        {item.state === 'RETURNED' ? t('action.claimAgain') : t('action.claim')}
      </Button>
    ),
    may('review') && (
      <Button
        key="review"
        type="primary"
        size="large"
        className="report-main-action"
        loading={busy}
        onClick={() => void act({ act: 'review' })}
      >
        {t('action.review')}
      </Button>
    ),
  ].filter((button) => button !== false);
  if (buttons.length === 0) return null;
  return (
    <>
      <div className="report-actions">{buttons}</div>
      {dialog === 'amend' && (
        <ReasonDialog
          title={t('amend.title')}
          confirm={t(addendum ? 'amend.addendumConfirm' : 'amend.confirm')}
          onConfirm={(reason) => act({ act: 'amend', reason, kind: addendum ? 'addendum' : 'change' })}
          onClose={() => setDialog(null)}
        >
          <p>{t(addendum ? 'amend.addendumText' : 'amend.text')}</p>
          <Segmented
            aria-label={t('amend.kind')}
            value={addendum ? 'addendum' : 'change'}
            options={[
              { value: 'change', label: t('amend.change') },
              { value: 'addendum', label: t('amend.addendum') },
            ]}
            onChange={(kind) => setAddendum(kind === 'addendum')}
          />
        </ReasonDialog>
      )}
      {dialog === 'revoke' && (
        <ReasonDialog
          danger
          title={t('revoke.title')}
          confirm={t('revoke.propose')}
          onConfirm={(reason) => act({ act: 'proposeRevocation', reason })}
          onClose={() => setDialog(null)}
        >
          <p>{t('revoke.text')}</p>
        </ReasonDialog>
      )}
    </>
  );
}
