import type { Language } from './catalogue';
import { textOf } from './catalogue';

/** Dates, durations, names and ages as a doctor reads them. All functions are pure; times are ISO strings in UTC. */

let displayZone: string | undefined;

/** Sets the IANA zone in which times are shown; undefined is the browser's own. */
export function showTimesIn(zone: string | undefined): void {
  displayZone = zone;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const zoned: Intl.DateTimeFormatOptions = displayZone === undefined ? options : { ...options, timeZone: displayZone };
  const key = JSON.stringify(zoned);
  const known = formatters.get(key);
  if (known !== undefined) return known;
  // sv-SE gives ISO order (2026-11-21 10:32), which both languages use in clinical tables.
  const made = new Intl.DateTimeFormat('sv-SE', zoned);
  formatters.set(key, made);
  return made;
}

const DATE = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
const MINUTE = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
const SECOND = { ...MINUTE, second: '2-digit' } as const;

/** `2026-11-21 10:32`. */
export function formatDateTime(iso: string): string {
  return formatter({ ...DATE, ...MINUTE }).format(new Date(iso));
}

/** `2026-11-21 10:32:05`, for the steps of an exam. */
export function formatExactTime(iso: string): string {
  return formatter({ ...DATE, ...SECOND }).format(new Date(iso));
}

/** `10:32:05`. */
export function formatClock(iso: string): string {
  return formatter(SECOND).format(new Date(iso));
}

/** `10:32` on the day of `now`, `11-20 10:32` in its year, `2025-11-20` before. */
export function formatShortTime(iso: string, now: number): string {
  const at = new Date(iso);
  return shortest(formatter(DATE).format(at), formatter(MINUTE).format(at), now);
}

/** The date and time that a study carries, as short as `formatShortTime`; they are the site's wall clock and have no zone. */
export function formatStudyTime(date: string | null, time: string | null, now: number): string | null {
  return date === null ? null : shortest(date, time === null ? '' : time.slice(0, 5), now);
}

function shortest(day: string, time: string, now: number): string {
  const today = formatter(DATE).format(new Date(now));
  if (day === today && time !== '') return time;
  return day.slice(0, 4) === today.slice(0, 4) ? `${day.slice(5)} ${time}`.trimEnd() : day;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const SHOW_SECONDS_BELOW = 10 * MINUTE_MS;

/** A span of time without its sign: `8:05` below ten minutes, `42 min`, `1 h 05 min`, `2 d 3 h`. */
export function formatDuration(language: Language, milliseconds: number): string {
  const span = Math.abs(milliseconds);
  if (span < SHOW_SECONDS_BELOW) {
    const seconds = Math.floor(span / 1000);
    return textOf(language, 'duration.seconds', { m: Math.floor(seconds / 60), s: padded(seconds % 60) });
  }
  if (span < HOUR_MS) return textOf(language, 'duration.minutes', { m: Math.floor(span / MINUTE_MS) });
  if (span < DAY_MS) {
    return textOf(language, 'duration.hours', {
      h: Math.floor(span / HOUR_MS),
      m: padded(Math.floor((span % HOUR_MS) / MINUTE_MS)),
    });
  }
  return textOf(language, 'duration.days', { d: Math.floor(span / DAY_MS), h: Math.floor((span % DAY_MS) / HOUR_MS) });
}

function padded(value: number): string {
  return String(value).padStart(2, '0');
}

const AGE_UNITS = { Y: 'age.years', M: 'age.months', W: 'age.weeks', D: 'age.days' } as const;

/** An age as DICOM writes it (PS3.5 §6.2 AS: `067Y`, `006M`, `012D`) in words; what is not of that form stays as it is. */
export function formatAge(language: Language, age: string): string {
  const parts = /^(\d{1,3})([YMWD])$/.exec(age);
  if (parts === null) return age;
  return textOf(language, AGE_UNITS[parts[2] as keyof typeof AGE_UNITS], { n: Number(parts[1]) });
}

/** `512 B`, `1.4 MB`: with decimal prefixes. */
export function formatSize(language: Language, bytes: number): string {
  if (bytes < 1000) return textOf(language, 'size.bytes', { n: bytes });
  if (bytes < 1_000_000) return textOf(language, 'size.kilobytes', { n: Math.round(bytes / 1000) });
  if (bytes < 1_000_000_000) return textOf(language, 'size.megabytes', { n: (bytes / 1_000_000).toFixed(1) });
  if (bytes < 1_000_000_000_000) return textOf(language, 'size.gigabytes', { n: (bytes / 1_000_000_000).toFixed(1) });
  return textOf(language, 'size.terabytes', { n: (bytes / 1_000_000_000_000).toFixed(2) });
}
