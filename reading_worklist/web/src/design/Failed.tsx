import { useEffect, useState } from 'react';

import { type Failure, whyFailed } from '../api/build';
import { useLanguage } from '../i18n/language';
import './failed.css';

/**
 * What could not be shown, why, and what to do about it. It needs no component library, because that may be what failed
 * to load.
 */
export function Failed({ title, level, onRetry }: { title: string; level: 'h1' | 'h3'; onRetry?: () => void }) {
  const { t } = useLanguage();
  const [why, setWhy] = useState<Failure | null>(null);
  useEffect(() => {
    let shown = true;
    void whyFailed().then((answer) => {
      if (shown) setWhy(answer);
    });
    return () => {
      shown = false;
    };
  }, []);
  const Heading = level;
  const replaced = why === 'replaced';
  return (
    <div className="failed" role="alert" aria-busy={why === null}>
      <Heading>{replaced ? t('failed.newBuild') : title}</Heading>
      {why !== null && (
        <>
          <p>{t(`failed.${why}`)}</p>
          <span className="failed-buttons">
            {onRetry !== undefined && !replaced && (
              <button type="button" className="plain-button" onClick={onRetry}>
                {t('app.retry')}
              </button>
            )}
            <button type="button" className="plain-button" onClick={() => location.reload()}>
              {t(replaced ? 'failed.loadNew' : 'failed.reload')}
            </button>
          </span>
        </>
      )}
    </div>
  );
}
