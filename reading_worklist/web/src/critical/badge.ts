import type { WorkitemDetail } from '../api/types';
import type { PanelBadge } from '../reading/panel';
import { useCriticalOf } from './queries';

/** How many critical values of the exam are open; red as long as the site has not acknowledged one. */
export function useCriticalBadge(item: WorkitemDetail): PanelBadge | null {
  const { data } = useCriticalOf(item.id);
  const open = data?.items.filter((one) => one.closed_at === null && one.dismissed_at === null) ?? [];
  if (open.length === 0) return null;
  return { count: open.length, tone: open.some((one) => one.acknowledged_at === null) ? 'red' : 'blue' };
}
