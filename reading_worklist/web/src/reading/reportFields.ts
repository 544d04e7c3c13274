import type { Lane, ReportText } from '../api/types';

/** The parts of a report in the order of the paper. */
export const FIELDS = ['findings', 'impression', 'advice'] as const;
export type Field = (typeof FIELDS)[number];

/** What is typed into: a part of the report, the comparison with priors, or what is added to a report that stands. */
export type Area = Field | 'comparison' | 'addendum';

/** Characters that one part takes; the server refuses more. */
export const LONGEST_TEXT = 20_000;

/** Which parts a report must have: an ECG may stand by its impression alone. */
export function requiredFields(lane: Lane): readonly Field[] {
  return lane === 'ecg' ? ['impression'] : ['findings', 'impression'];
}

/** Whether nothing is written yet. */
export function isBlank(text: ReportText): boolean {
  return FIELDS.every((field) => text[field].trim() === '');
}
