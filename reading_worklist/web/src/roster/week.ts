import { daysLater } from '../rules/days';

/** Pure functions of the roster: weeks, local times of the centre, and when nobody is on duty. */

export interface Span {
  starts_at: string;
  ends_at: string;
}

const DAYS = 7;
const MINUTE = 60_000;

/** The Monday of the week that a day lies in. */
export function mondayOf(day: string): string {
  const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + DAYS - 1) % DAYS;
  return daysLater(day, -weekday);
}

export function weekOf(monday: string): string[] {
  return Array.from({ length: DAYS }, (_, at) => daysLater(monday, at));
}

/** The local day and time of a moment in a zone. */
export function localOf(iso: string, zone: string): { day: string; time: string } {
  const parts = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(new Date(iso));
  return { day: parts.slice(0, 10), time: parts.slice(11, 16) };
}

/** The moment of a local time in a zone, as ISO text; of a time that the clocks skip, the one after. */
export function instantOf(day: string, time: string, zone: string): string {
  const wanted = Date.parse(`${day}T${time}:00Z`);
  let moment = wanted;
  // The offset at the guess may be that of another side of a change of clocks: twice is enough.
  for (let turn = 0; turn < 2; turn += 1) {
    const local = localOf(new Date(moment).toISOString(), zone);
    moment += wanted - Date.parse(`${local.day}T${local.time}:00Z`);
  }
  return new Date(moment).toISOString();
}

export interface Gap {
  from: string;
  to: string;
}

/** The parts of a local day in which none of some duties holds, as local times; `24:00` is its end. */
export function gapsOf(day: string, duties: readonly Span[], zone: string): Gap[] {
  const begin = Date.parse(instantOf(day, '00:00', zone));
  const end = Date.parse(instantOf(daysLater(day, 1), '00:00', zone));
  const spans = duties
    .map((duty) => [Math.max(begin, Date.parse(duty.starts_at)), Math.min(end, Date.parse(duty.ends_at))] as const)
    .filter(([from, to]) => from < to)
    .toSorted(([one], [other]) => one - other);
  const gaps: Gap[] = [];
  let reached = begin;
  for (const [from, to] of spans) {
    if (from - reached >= MINUTE) gaps.push(gap(reached, from));
    reached = Math.max(reached, to);
  }
  if (end - reached >= MINUTE) gaps.push(gap(reached, end));
  return gaps;

  function gap(from: number, to: number): Gap {
    return { from: clock(from), to: to === end ? '24:00' : clock(to) };
  }

  function clock(moment: number): string {
    return localOf(new Date(moment).toISOString(), zone).time;
  }
}
