import { useEffect, useState, useSyncExternalStore } from 'react';

import { live } from '../api/events';
import { useLanguage } from '../i18n/language';

/** A reconnect that takes less than this is nobody's business. */
const PATIENCE = 5_000;

function subscribeNetwork(listener: () => void): () => void {
  addEventListener('online', listener);
  addEventListener('offline', listener);
  return () => {
    removeEventListener('online', listener);
    removeEventListener('offline', listener);
  };
}

/** Says that what the page shows may be old, and why. */
export function OfflineBanner() {
  const { t } = useLanguage();
  const online = useSyncExternalStore(subscribeNetwork, () => navigator.onLine);
  const lost = useSyncExternalStore(live.subscribeState, live.state) === 'lost';
  const longLost = useLasting(lost, PATIENCE);
  if (online && !longLost) return null;
  return (
    <div className="offline" role="status">
      {online ? t('offline.server') : t('offline.text')}
    </div>
  );
}

/** True once `condition` has held for `milliseconds`, false as soon as it does not. */
function useLasting(condition: boolean, milliseconds: number): boolean {
  const [reached, setReached] = useState(false);
  useEffect(() => {
    if (!condition) return undefined;
    const timer = setTimeout(() => setReached(true), milliseconds);
    return () => {
      clearTimeout(timer);
      setReached(false);
    };
  }, [condition, milliseconds]);
  return condition && reached;
}
