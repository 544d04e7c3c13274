import { Button, Popconfirm } from 'antd';

import type { WorkitemDetail } from '../api/types';
import { useLanguage } from '../i18n/language';
import type { Act } from './act';

/** The ways of signing a draft: with review to follow, for now, or alone. */
export type Signature = 'submit' | 'preliminary' | 'alone';

/** What a writer can do with the report as a whole. */
export function DraftActions({
  item,
  busy,
  disabled,
  act,
  flush,
  onSign,
}: {
  item: WorkitemDetail;
  busy: boolean;
  disabled: boolean;
  act: Act;
  flush: () => Promise<boolean>;
  onSign: (signature: Signature) => void;
}) {
  const { t } = useLanguage();
  const may = (action: string): boolean => item.actions.includes(action);
  return (
    <div className="report-actions">
      {may('abandon_amendment') && (
        <Popconfirm
          title={t(item.amending_kind === 'addendum' ? 'amend.addendumAbandon' : 'amend.abandon')}
          description={t('amend.abandon.text')}
          okText={t(item.amending_kind === 'addendum' ? 'amend.addendumAbandon' : 'amend.abandon')}
          cancelText={t('app.cancel')}
          onConfirm={() => void act({ act: 'abandon' })}
        >
          <Button size="large">
            {t(item.amending_kind === 'addendum' ? 'amend.addendumAbandon' : 'amend.abandon')}
          </Button>
        </Popconfirm>
      )}
      <Popconfirm
        title={t('action.release')}
        description={t('action.release.confirm')}
        okText={t('action.release')}
        cancelText={t('app.cancel')}
        onConfirm={() => void flush().then(() => act({ act: 'release' }))}
      >
        <Button size="large">{t('action.release')}</Button>
      </Popconfirm>
      {may('issue_preliminary') && (
        <Button size="large" disabled={disabled} onClick={() => onSign('preliminary')}>
          {t('issue.preliminary')}
        </Button>
      )}
      {may('issue_alone') && (
        <Button size="large" disabled={disabled} onClick={() => onSign('alone')}>
          {t('issue.alone')}
        </Button>
      )}
      <Button
        type="primary"
        size="large"
        className="report-main-action"
        loading={busy}
        disabled={disabled}
        onClick={() => onSign('submit')}
      >
        {t('action.submit')}
      </Button>
    </div>
  );
}
