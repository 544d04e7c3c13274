import { UserSwitchOutlined } from '@ant-design/icons';
import { App, Button, Tooltip } from 'antd';
import { useState } from 'react';

import type { WorkitemDetail } from '../api/types';
import { ReasonDialog } from '../design/ReasonDialog';
import { useLanguage } from '../i18n/language';
import { useDoubt, useIdentityNotice } from './queries';

/** Sends the exam to the identity desk, for whoever sees at the images that they are somebody else's. */
export function DoubtButton({ item }: { item: WorkitemDetail }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { data: notice } = useIdentityNotice(item.id);
  const { mutateAsync } = useDoubt(item.id);
  const [asking, setAsking] = useState(false);
  if (notice?.can_open !== true) return null;
  return (
    <>
      <Tooltip title={t('identityNotice.doubt')}>
        <Button
          className="reading-doubt"
          icon={<UserSwitchOutlined />}
          aria-label={t('identityNotice.doubt')}
          onClick={() => setAsking(true)}
        />
      </Tooltip>
      {asking && (
        <ReasonDialog
          title={`${t('identityNotice.doubt')} · ${item.patient.name}`}
          confirm={t('identityNotice.send')}
          danger
          onConfirm={async (reason) => {
            await mutateAsync(reason);
            void message.success(t('identityNotice.sent'));
          }}
          onClose={() => setAsking(false)}
        >
          <p>{t('identityNotice.doubtExplain')}</p>
        </ReasonDialog>
      )}
    </>
  );
}
