import { App, Button } from 'antd';
import { useCallback, useEffect, useRef, useState } from 'react';

import type { WorkitemDetail } from '../api/types';
import { useLanguage } from '../i18n/language';

export interface SecondWindow {
  isOpen: boolean;
  open: () => void;
  bringBack: () => void;
}

const LOOK_EVERY = 1_000;

/** The viewer in a window of its own, for the second monitor. Its place here is freed until it is closed. */
export function useSecondWindow(url: string): SecondWindow {
  const { message } = App.useApp();
  const { t } = useLanguage();
  const handle = useRef<Window | null>(null);
  const [isOpen, setIsOpen] = useState(false);

  const open = useCallback(() => {
    handle.current = window.open(url, 'rdc-viewer', 'popup,width=1600,height=1000');
    if (handle.current === null) void message.warning(t('reading.viewer.blocked'));
    else handle.current.focus();
    setIsOpen(handle.current !== null);
  }, [url, message, t]);
  const bringBack = useCallback(() => {
    handle.current?.close();
    setIsOpen(false);
  }, []);

  useEffect(() => {
    if (!isOpen) return undefined;
    // A window tells nobody that it was closed.
    const timer = setInterval(() => {
      if (handle.current?.closed !== false) setIsOpen(false);
    }, LOOK_EVERY);
    return () => clearInterval(timer);
  }, [isOpen]);

  return { isOpen, open, bringBack };
}

/** OHIF with the study of the workitem. */
export function ViewerPane({
  item,
  second,
  onActivity,
}: {
  item: WorkitemDetail;
  second: SecondWindow;
  onActivity: () => void;
}) {
  const { t } = useLanguage();
  if (second.isOpen) {
    return (
      <div className="viewer viewer-elsewhere">
        <p>{t('reading.viewer.elsewhere')}</p>
        <Button onClick={second.bringBack}>{t('reading.viewer.bringBack')}</Button>
      </div>
    );
  }
  return (
    <div className="viewer">
      <iframe
        title={t('reading.viewer')}
        src={item.viewer_url}
        allow="fullscreen"
        onLoad={(event) => {
          const inside = event.currentTarget.contentWindow;
          for (const sign of ['pointerdown', 'keydown', 'wheel'] as const)
            inside?.addEventListener(sign, onActivity, { passive: true });
        }}
      />
    </div>
  );
}
