import type { Rate } from '../api/types';
import type { Language } from '../i18n/catalogue';
import { formatDuration } from '../i18n/format';

/** A month as the API and the browser's own field write it. */
export const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;

/** The parts of the road whose lengths are told, in their order. */
export const SEGMENTS = ['send', 'queue', 'write', 'review', 'deliver', 'total'] as const;

const NOTHING = '–';

/** The month of a time on this machine's calendar, such as `2026-11`. */
export function monthOf(at: number): string {
  const day = new Date(at);
  return `${String(day.getFullYear())}-${String(day.getMonth() + 1).padStart(2, '0')}`;
}

/** A share in percent; a dash where there is nothing it could be a share of. */
export function shareOf({ value }: Rate): string {
  return value === null ? NOTHING : `${(value * 100).toFixed(1)}%`;
}

/** A span of seconds in words; a dash where nothing was measured. */
export function spanOf(language: Language, seconds: number | null): string {
  return seconds === null ? NOTHING : formatDuration(language, seconds * 1000);
}
