import type { WorkitemDetail } from '../../api/types';
import type { PanelBadge } from '../panel';
import { useKeyImages } from './queries';

/** How many key images there are. */
export function useKeyImagesBadge(item: WorkitemDetail): PanelBadge | null {
  const { data } = useKeyImages(item.id);
  return data === undefined || data.length === 0 ? null : { count: data.length, tone: 'slate' };
}
