import type { WorkitemDetail } from '../api/types';
import type { PanelBadge } from '../reading/panel';
import { useConsultationsOf } from './queries';
import { isUnanswered } from './words';

/** How many consultations of the exam are open; blue when an answer is there. */
export function useConsultationBadge(item: WorkitemDetail): PanelBadge | null {
  const { data } = useConsultationsOf(item.id);
  const open = data?.items.filter((one) => isUnanswered(one) || one.state === 'OPINION_SIGNED') ?? [];
  if (open.length === 0) return null;
  return { count: open.length, tone: open.some((one) => one.state === 'OPINION_SIGNED') ? 'blue' : 'slate' };
}
