/** What the figures of chest-pain ECGs count, as the API names it. */
export type ChestPainMeasure =
  'ecgs' | 'contact_unknown' | 'contact_due' | 'contact_in_time' | 'diagnosis_due' | 'diagnosis_in_time';

/** When a month such as `2026-11` begins and ends on this machine's calendar. */
export function spanOfMonth(month: string): { since: string; until: string } {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return {
    since: new Date(year, number - 1, 1).toISOString(),
    until: new Date(year, number, 1).toISOString(),
  };
}
