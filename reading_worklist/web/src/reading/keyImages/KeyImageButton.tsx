import { PushpinOutlined } from '@ant-design/icons';
import { Button, Tooltip } from 'antd';
import { useCallback, useEffect, useRef } from 'react';

import type { WorkitemDetail } from '../../api/types';
import { useShortcuts } from '../../design/shortcuts';
import { useLanguage } from '../../i18n/language';
import { useMarkCalls } from './imageLink';
import { mayChoose, useChoosing } from './useMark';

/** Takes the image that the viewer shows into the report, wherever the viewer is; Alt+S does the same. */
export function KeyImageButton({ item }: { item: WorkitemDetail }) {
  return item.lane === 'imaging' && mayChoose(item) ? <Choosing item={item} /> : null;
}

function Choosing({ item }: { item: WorkitemDetail }) {
  const { t } = useLanguage();
  const { mark, isPending } = useChoosing(item);
  const latest = useRef(mark);
  useEffect(() => {
    latest.current = mark;
  });
  useMarkCalls(useCallback(() => void latest.current(), []));
  useShortcuts({ 'alt+s': () => void mark() });
  return (
    <Tooltip title={`${t('keyImages.markKey')}  Alt+S`}>
      <Button
        icon={<PushpinOutlined />}
        loading={isPending}
        aria-label={t('keyImages.markKey')}
        aria-keyshortcuts="Alt+S"
        onClick={() => void mark()}
      />
    </Tooltip>
  );
}
