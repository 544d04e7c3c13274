import type { WorkitemDetail } from '../api/types';
import type { PanelBadge } from '../reading/panel';
import { usePriors } from './queries';

/** How many priors there are; blue where one is of the same body part, or more wait at other sites for a reason. */
export function usePriorsBadge(item: WorkitemDetail): PanelBadge | null {
  const { data } = usePriors(item.id);
  if (data === undefined) return null;
  const waiting = data.reason_needed ? data.elsewhere : 0;
  const count = data.items.length + waiting;
  if (count === 0) return null;
  const worthALook = waiting > 0 || data.items.some((one) => one.same_body_part || one.same_modality);
  return { count, tone: worthALook ? 'blue' : 'slate' };
}
