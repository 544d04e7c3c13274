import { BellOutlined, MutedOutlined, SoundOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useState } from 'react';

import { serverNow } from '../api/serverClock';
import { useSecond } from '../design/clock';
import { useLanguage } from '../i18n/language';
import { mute, useMutedUntil } from './mute';

/** The sound off for this shift, and notifications of the system on; neither touches the banner. */
export function AlertBells({ person }: { person: string }) {
  const { t } = useLanguage();
  const until = useMutedUntil(person);
  const silent = until > useSecond();
  const [permission, setPermission] = useState(() => ('Notification' in window ? Notification.permission : 'denied'));
  return (
    <span className="alert-bells">
      {permission === 'default' && (
        <Button
          size="small"
          ghost
          icon={<BellOutlined />}
          title={t('critical.alert.notify')}
          aria-label={t('critical.alert.notify')}
          onClick={() => void Notification.requestPermission().then(setPermission)}
        >
          <span className="alert-label">{t('critical.alert.notify')}</span>
        </Button>
      )}
      <Button
        size="small"
        ghost
        aria-pressed={silent}
        icon={silent ? <MutedOutlined /> : <SoundOutlined />}
        title={t(silent ? 'critical.alert.unmute' : 'critical.alert.mute')}
        aria-label={t(silent ? 'critical.alert.unmute' : 'critical.alert.mute')}
        onClick={() => mute(person, silent ? null : serverNow())}
      >
        <span className="alert-label">{t(silent ? 'critical.alert.unmute' : 'critical.alert.mute')}</span>
      </Button>
    </span>
  );
}
