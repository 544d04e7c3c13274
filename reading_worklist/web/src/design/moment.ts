import { formatDateTime } from '../i18n/format';

/**
 * Moments in `<input type="datetime-local">`, which knows no zone: they are in the zone in which all times are shown,
 * whatever the workstation is set to.
 */

/** A moment as such an input has it (`2026-11-23T09:00`); empty for none. */
export function localMoment(iso: string | null): string {
  return iso === null ? '' : formatDateTime(iso).replace(' ', 'T');
}

/** The moment that such an input names, as the server takes it; null for an empty one. */
export function isoMoment(local: string): string | null {
  if (local === '') return null;
  const guess = Date.parse(`${local}Z`);
  // By how much the shown clock is ahead; asked twice, since the offset may change between the two.
  const ahead = (at: number): number => Date.parse(`${localMoment(new Date(at).toISOString())}Z`) - at;
  return new Date(guess - ahead(guess - ahead(guess))).toISOString();
}
