import { CloseOutlined } from '@ant-design/icons';
import { Button, Skeleton, Tooltip } from 'antd';
import { type KeyboardEvent, Suspense, useEffect, useRef } from 'react';

import type { WorkitemDetail } from '../api/types';
import { useLanguage } from '../i18n/language';
import type { ReadingPanel } from './panel';

/** The open panel. It takes the focus when it is called, and gives it back to where it was when it is closed. */
export function SidePanel({
  item,
  panel,
  called,
  onClose,
}: {
  item: WorkitemDetail;
  panel: ReadingPanel;
  called: boolean;
  onClose: () => void;
}) {
  const { t } = useLanguage();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!called) return undefined;
    const before = document.activeElement;
    heading.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [called, panel.id]);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    // What is pressed in a dialog over the page comes here as well, by the way of the components.
    if (!(event.target instanceof Node && event.currentTarget.contains(event.target))) return;
    event.preventDefault();
    onClose();
  };
  const { Content } = panel;
  return (
    <section className="side" aria-labelledby="side-heading" onKeyDown={onKeyDown}>
      <div className="side-head">
        <h2 ref={heading} id="side-heading" tabIndex={-1}>
          {t(panel.name)}
        </h2>
        <Tooltip title={t('panel.close')}>
          <Button type="text" size="small" icon={<CloseOutlined />} aria-label={t('panel.close')} onClick={onClose} />
        </Tooltip>
      </div>
      {/* What is longer than the screen is read by keyboard as well. */}
      <div className="side-body" tabIndex={0}>
        <Suspense fallback={<Skeleton active />}>
          <Content key={panel.id} item={item} />
        </Suspense>
      </div>
    </section>
  );
}
