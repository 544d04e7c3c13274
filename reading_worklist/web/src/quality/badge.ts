import type { WorkitemDetail } from '../api/types';
import type { PanelBadge } from '../reading/panel';
import { useQuality } from './queries';

/** How many findings about the images stand; amber when one of them is a warning. */
export function useQualityBadge(item: WorkitemDetail): PanelBadge | null {
  const { data } = useQuality(item.id);
  const standing = data?.notes.filter((note) => note.superseded_at === null) ?? [];
  if (standing.length === 0) return null;
  return { count: standing.length, tone: standing.some((note) => note.severity === 'warning') ? 'amber' : 'blue' };
}
