import { formatClock } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import type { DraftStatus } from './draftSaver';

/** Whether the draft is safe, always in sight. */
export function DraftStatusLine({ status, note }: { status: DraftStatus; note: string | null }) {
  const { t } = useLanguage();
  const words =
    status.kind === 'saved' ? t('draft.saved', { time: formatClock(status.at) }) : t(`draft.${status.kind}`);
  return (
    <div className="draft-line">
      <span className={`draft-state draft-${status.kind}`} role="status">
        {words}
      </span>
      {note !== null && <span className="draft-note">{note}</span>}
    </div>
  );
}
