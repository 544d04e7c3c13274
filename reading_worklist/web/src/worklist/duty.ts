import type { Duty } from '../roster/queries';

/** The roster as one reader looks at it: what he does now and next, and who else is on duty. */
export interface MyRoster {
  /** My own duty, with the latest end where there are several at once; null when I have none now. */
  now: Duty | null;
  /** My own that have not begun, the next one first. */
  next: Duty[];
  /** Everybody on duty now, by lane and group, of one group by name. */
  onDuty: Duty[];
}

/** The roster of a person at a moment (milliseconds). */
export function rosterOf(duties: readonly Duty[], person: string, now: number): MyRoster {
  const runs = (duty: Duty): boolean => Date.parse(duty.starts_at) <= now && now < Date.parse(duty.ends_at);
  const onDuty = duties
    .filter(runs)
    .toSorted(
      (one, other) =>
        one.lane.localeCompare(other.lane) ||
        (one.group?.name ?? '').localeCompare(other.group?.name ?? '') ||
        one.person.display_name.localeCompare(other.person.display_name),
    );
  const mine = onDuty.filter((duty) => duty.person.id === person);
  return {
    now: mine.toSorted((one, other) => Date.parse(other.ends_at) - Date.parse(one.ends_at))[0] ?? null,
    next: duties
      .filter((duty) => duty.person.id === person && Date.parse(duty.starts_at) > now)
      .toSorted((one, other) => Date.parse(one.starts_at) - Date.parse(other.starts_at)),
    onDuty,
  };
}
