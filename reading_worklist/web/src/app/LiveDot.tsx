import { Tooltip } from 'antd';
import { useSyncExternalStore } from 'react';

import { live } from '../api/events';
import { useLanguage } from '../i18n/language';

/** Whether changes arrive by themselves at the moment. */
export function LiveDot() {
  const { t } = useLanguage();
  const state = useSyncExternalStore(live.subscribeState, live.state);
  const label = t(`live.${state}`);
  return (
    <Tooltip title={label}>
      <span className={`live live-${state}`} role="status">
        <span className="visually-hidden">{label}</span>
      </span>
    </Tooltip>
  );
}
