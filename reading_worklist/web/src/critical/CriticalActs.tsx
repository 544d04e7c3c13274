import { App, Button } from 'antd';
import { useState } from 'react';

import type { CriticalDetail } from '../api/types';
import { ReasonDialog } from '../design/ReasonDialog';
import { useRefusal } from '../design/useRefusal';
import { useLanguage } from '../i18n/language';
import { CallDialog } from '../phone/CallDialog';
import { useSession } from '../session/session';
import { AcknowledgeForm } from './AcknowledgeForm';
import { ActionForm } from './ActionForm';
import { useCriticalAct } from './queries';
import { isSite } from './words';

/** What this person can do about a critical value now; the server says what that is. */
export function CriticalActs({ value }: { value: CriticalDetail }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const refused = useRefusal();
  const { data: session } = useSession();
  const { mutateAsync, isPending } = useCriticalAct(value.id);
  const [dialog, setDialog] = useState<'dismiss' | 'call' | null>(null);
  const site = isSite(session);
  const can = (action: string): boolean => value.actions.includes(action);
  const mine = value.found_by?.id === session?.person.id;
  const press = async (act: 'support' | 'confirm' | 'close'): Promise<void> => {
    try {
      await mutateAsync({ act });
      void message.success(t(`critical.done.${act}`));
    } catch (error) {
      refused(error);
    }
  };
  return (
    <div className="critical-acts">
      {can('support') && <p className="critical-why">{t('critical.support.why')}</p>}
      {can('confirm') && <p className="critical-why">{t(mine ? 'critical.confirm.mine' : 'critical.confirm.other')}</p>}
      {can('acknowledge') && <AcknowledgeForm value={value} byPhone={!site} />}
      {can('act') && <ActionForm value={value} byPhone={!site} />}
      <div className="critical-buttons">
        {can('support') && (
          <Button type="primary" danger loading={isPending} onClick={() => void press('support')}>
            {t('critical.act.support')}
          </Button>
        )}
        {can('confirm') && (
          <Button type="primary" danger loading={isPending} onClick={() => void press('confirm')}>
            {t('critical.act.confirm')}
          </Button>
        )}
        {can('call') && <Button onClick={() => setDialog('call')}>{t('critical.act.call')}</Button>}
        {can('close') && (
          <Button type="primary" loading={isPending} onClick={() => void press('close')}>
            {t('critical.act.close')}
          </Button>
        )}
        {can('dismiss') && <Button onClick={() => setDialog('dismiss')}>{t('critical.act.dismiss')}</Button>}
      </div>
      {dialog === 'dismiss' && (
        <ReasonDialog
          title={t('critical.act.dismiss')}
          confirm={t('critical.act.dismiss')}
          danger
          onConfirm={async (reason) => {
            await mutateAsync({ act: 'dismiss', reason });
            void message.success(t('critical.done.dismiss'));
          }}
          onClose={() => setDialog(null)}
        >
          <p>{t(value.notified_at === null ? 'critical.dismiss.untold' : 'critical.dismiss.told')}</p>
        </ReasonDialog>
      )}
      {dialog === 'call' && (
        <CallDialog
          contacts={value.contacts}
          step={value.level}
          onCall={(body) => mutateAsync({ act: 'call', body })}
          onClose={() => setDialog(null)}
        />
      )}
    </div>
  );
}
