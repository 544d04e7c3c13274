import type { WorkingTime } from './queries';

/** What a day of the calendar is. */
export type DayKind = 'work' | 'weekend' | 'holiday' | 'worked';

export interface Day {
  /** `2026-11-22`. */
  date: string;
  kind: DayKind;
  /** Whether somebody of the centre entered it. */
  entered: boolean;
  reason: string | null;
}

const MONTHS = 12;
const WEEK = 7;
const SATURDAY = 6;

/** Every day of a year by month; what the server does not name follows from its weekday. */
export function yearOf(year: number, named: WorkingTime['days']): Day[][] {
  const byDate = new Map(named.map((day) => [day.day, day]));
  return Array.from({ length: MONTHS }, (_, month) => {
    const count = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
    return Array.from({ length: count }, (_unused, at): Day => {
      const date = new Date(Date.UTC(year, month, at + 1)).toISOString().slice(0, 10);
      const weekend = weekdayOf(date) >= SATURDAY;
      const one = byDate.get(date);
      const working = one === undefined ? !weekend : one.working;
      return {
        date,
        kind: working ? (weekend ? 'worked' : 'work') : weekend && one?.basis !== 'statutory' ? 'weekend' : 'holiday',
        entered: one?.basis === 'entry',
        reason: one?.reason ?? null,
      };
    });
  });
}

/** 1 is Monday, 7 Sunday. */
export function weekdayOf(date: string): number {
  return ((new Date(`${date}T00:00:00Z`).getUTCDay() + WEEK - 1) % WEEK) + 1;
}

/** The day `by` days later. */
export function daysLater(date: string, by: number): string {
  const moment = new Date(`${date}T00:00:00Z`);
  moment.setUTCDate(moment.getUTCDate() + by);
  return moment.toISOString().slice(0, 10);
}
