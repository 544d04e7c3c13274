import type { WorkitemDetail } from '../api/types';
import type { PanelBadge } from '../reading/panel';
import { useRetakesOf } from './queries';

/** How many retakes of the exam are open. */
export function useRetakeBadge(item: WorkitemDetail): PanelBadge | null {
  const { data } = useRetakesOf(item.id);
  const open = data?.items.filter((one) => one.ended_at === null) ?? [];
  return open.length === 0 ? null : { count: open.length, tone: open.some((one) => one.overdue) ? 'red' : 'amber' };
}
