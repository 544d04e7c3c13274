import type { WorkitemDetail } from '../api/types';
import { useLanguage } from '../i18n/language';
import { TextChanges } from './TextChanges';
import './writing.css';

/** What is written replaces a report that stands, and what differs from it so far; or is added to it. */
export function AmendingBanner({ item }: { item: WorkitemDetail }) {
  const { t } = useLanguage();
  if (!item.amending) return null;
  const adds = item.amending_kind === 'addendum';
  const standing = item.versions.find((version) => version.recall === null);
  return (
    <aside className="amending">
      <p className="strong">{t(adds ? 'amend.addendumBanner' : 'amend.banner')}</p>
      {!adds && standing !== undefined && item.draft !== null && (
        <details>
          <summary>{t('compare.changes')}</summary>
          <TextChanges id={item.id} lane={item.lane} from={standing.id} to={null} revision={item.draft.revision} />
        </details>
      )}
    </aside>
  );
}
