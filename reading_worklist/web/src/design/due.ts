/** How urgent a due time is. */
export type DueLevel = 'calm' | 'soon' | 'overdue';

/** The last third of the time allowed counts as soon. */
const SOON_FRACTION = 1 / 3;

/** Returns how urgent a workitem is at `now` that was queued and is due at the given times (ISO). */
export function dueLevel(queuedAt: string, dueAt: string, now: number): DueLevel {
  const due = Date.parse(dueAt);
  if (now >= due) return 'overdue';
  const allowed = due - Date.parse(queuedAt);
  return due - now <= allowed * SOON_FRACTION ? 'soon' : 'calm';
}
