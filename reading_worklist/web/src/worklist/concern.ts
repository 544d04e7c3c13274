import type { WorklistFilter, WorklistLine } from '../api/types';

/**
 * Whether a list that does not have a row may have it now, as far as its line tells. Of what only the server knows,
 * such as a search or a body part, it may.
 */
export function mayEnter(question: WorklistFilter, line: WorklistLine, me: string | null): boolean {
  const { state = [], lane = null, priority = [], mine = false, unclaimed = false } = question;
  if (state.length > 0 && !state.includes(line.state)) return false;
  if (lane !== null && lane !== line.lane) return false;
  if (priority.length > 0 && !priority.includes(line.priority)) return false;
  if (unclaimed && (line.claimed_by !== null || line.assigned_to !== null)) return false;
  return !mine || [line.claimed_by, line.assigned_to, line.written_by].some((person) => person?.id === me);
}
