import { Button } from 'antd';

import type { WorkitemDetail } from '../api/types';
import { EcgPane } from '../ecg/EcgPane';
import { type Comparison, compare } from '../priors/comparison';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';

/**
 * The images of an exam, and beside them those of a prior that was opened. The view of ECGs is a part of the page:
 * React shows what was awaited no sooner than 0.3 s after what stood in its place.
 */
export function ViewerPane({
  item,
  comparison,
  onActivity,
}: {
  item: WorkitemDetail;
  comparison: Comparison | null;
  onActivity: () => void;
}) {
  return (
    <div className="viewing-pane">
      {comparison !== null && <ComparisonBar comparison={comparison} />}
      {item.lane === 'ecg' ? (
        <EcgPane id={item.id} prior={comparison?.prior.lane === 'ecg' ? comparison.prior : null} />
      ) : (
        <ImageViewer url={comparison?.url ?? item.viewer_url} onActivity={onActivity} />
      )}
    </div>
  );
}

/** What stands beside the exam, in the words of a list. */
export function useBesideWords(comparison: Comparison | null): string | null {
  const { t, language } = useLanguage();
  if (comparison === null) return null;
  const { prior } = comparison;
  return t('priors.comparing', {
    date: prior.study_date ?? t('priors.undated'),
    what: [prior.modalities.join(' '), prior.description ?? ''].join(' ').trim(),
    site: siteName(language, prior.site),
  });
}

function ComparisonBar({ comparison }: { comparison: Comparison }) {
  const { t } = useLanguage();
  const words = useBesideWords(comparison);
  return (
    <div className="viewing-bar">
      <span>{words}</span>
      <Button size="small" onClick={() => compare(null)}>
        {t('priors.close')}
      </Button>
    </div>
  );
}

function ImageViewer({ url, onActivity }: { url: string; onActivity: () => void }) {
  const { t } = useLanguage();
  return (
    <div className="viewer">
      <iframe
        title={t('reading.viewer')}
        src={url}
        allow="fullscreen"
        onLoad={(event) => {
          const inside = event.currentTarget.contentWindow;
          for (const sign of ['pointerdown', 'keydown', 'wheel'] as const)
            inside?.addEventListener(sign, onActivity, { passive: true });
          inside?.addEventListener('keydown', passOn);
        }}
      />
    </div>
  );
}

/** Keys of the page work while the images have the focus too; those of the viewer itself have no Alt. */
function passOn(event: KeyboardEvent): void {
  const ours = event.altKey || (event.ctrlKey && event.key === 'Enter');
  if (!ours || event.isComposing) return;
  const { key, code, altKey, ctrlKey, shiftKey, metaKey } = event;
  const again = new KeyboardEvent('keydown', {
    key,
    code,
    altKey,
    ctrlKey,
    shiftKey,
    metaKey,
    bubbles: true,
    cancelable: true,
  });
  if (!document.dispatchEvent(again)) event.preventDefault();
}
