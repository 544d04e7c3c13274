import type { Exam } from '../api/types';

/** The steps that the list can be narrowed to: the last one an exam has passed. */
export const EXAM_STEPS = ['queued', 'reading', 'signed', 'delivered', 'opened'] as const;
export type ExamStep = (typeof EXAM_STEPS)[number];

/** The whole road of an exam, in order, with the member that says when it was passed. */
export const ROAD = [
  ['received', 'received_at'],
  ['complete', 'complete_at'],
  ['queued', 'queued_at'],
  ['reading', 'reading_since'],
  ['signed', 'signed_at'],
  ['delivered', 'delivered_at'],
  ['opened', 'opened_at'],
] as const satisfies readonly (readonly [string, keyof Exam['steps']])[];

export type RoadStep = (typeof ROAD)[number][0];

/** The index on the road of the last step that an exam has passed. A step may be passed without the one before it. */
export function reachedStep(steps: Exam['steps']): number {
  return ROAD.reduce((reached, [, member], index) => (steps[member] === null ? reached : index), 0);
}
