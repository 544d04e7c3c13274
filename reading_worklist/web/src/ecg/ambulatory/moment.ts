import { formatClock } from '../../i18n/format';

/** From this length on, in seconds, a record is looked at by overview and paging. */
export const LONG_SECONDS = 300;

const DAY = 86_400;

/** The time of day of a moment of a record by its own clock, `22:54:00`; since its start when it has none. */
export function clockOf(seconds: number, startedAt: string | null): string {
  if (startedAt !== null) return formatClock(new Date(Date.parse(startedAt) + seconds * 1000).toISOString());
  const whole = Math.floor(seconds);
  return [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

/**
 * The record time that somebody wrote as `22:54`, `22:54:05` or `225405`, null for anything else.
 * A time of day is the first after the record's start; one outside of the record is null.
 */
export function momentOf(written: string, startedAt: string | null, duration: number): number | null {
  const match = /^(\d{1,2})[:：.]?(\d{2})(?:[:：.]?(\d{2}))?$/.exec(written.trim());
  if (match === null) return null;
  const [hours, minutes, seconds] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  if (minutes > 59 || seconds > 59) return null;
  const asked = hours * 3600 + minutes * 60 + seconds;
  if (startedAt === null) return asked < duration ? asked : null;
  if (hours > 23) return null;
  const [h = 0, m = 0, s = 0] = formatClock(startedAt).split(':').map(Number);
  const since = (asked - (h * 3600 + m * 60 + s) + DAY) % DAY;
  return since < duration ? since : null;
}

/** Full hours (or parts of them) for the axis: record time and the words for it, at most about a dozen. */
export function ticksOf(startedAt: string | null, duration: number): { seconds: number; label: string }[] {
  const step = [60, 300, 600, 1800, 3600, 7200, 14_400].find((one) => duration / one <= 13) ?? 21_600;
  const [h = 0, m = 0, s = 0] = startedAt === null ? [] : formatClock(startedAt).split(':').map(Number);
  const begins = h * 3600 + m * 60 + s;
  const ticks: { seconds: number; label: string }[] = [];
  for (let at = Math.ceil(begins / step) * step; at - begins < duration; at += step) {
    ticks.push({ seconds: at - begins, label: clockOf(at - begins, startedAt).slice(0, 5) });
  }
  return ticks;
}
