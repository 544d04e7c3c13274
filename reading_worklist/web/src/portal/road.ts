import type { Exam, ExamStep } from '../api/types';

/** The road of an exam as the portal draws it, in order, with the member that says when a stop was passed. */
export const ROAD = [
  ['ordered', 'ordered_at'],
  ['checked_in', 'checked_in_at'],
  ['acquired', 'acquired_at'],
  ['received', 'complete_at'],
  ['reading', 'reading_since'],
  ['signed', 'signed_at'],
  ['delivered', 'delivered_at'],
  ['opened', 'opened_at'],
] as const satisfies readonly (readonly [string, keyof Exam['steps']])[];

export type RoadStop = (typeof ROAD)[number][0];

/** The steps that a list can be narrowed to. */
export const EXAM_STEPS = [
  'ordered',
  'checked_in',
  'acquired',
  'receiving',
  'queued',
  'reading',
  'signed',
  'delivered',
  'opened',
] as const satisfies readonly ExamStep[];

/** The last stop that an exam has passed at each step; it waits at `received` until somebody reads it. */
const STOP_OF: Record<ExamStep, RoadStop> = {
  ordered: 'ordered',
  checked_in: 'checked_in',
  acquired: 'acquired',
  receiving: 'acquired',
  queued: 'received',
  reading: 'reading',
  signed: 'signed',
  delivered: 'delivered',
  opened: 'opened',
};

/** The index on the road of the last stop that an exam has passed. A stop may be passed without the one before it. */
export function reachedStop(step: ExamStep): number {
  return ROAD.findIndex(([stop]) => stop === STOP_OF[step]);
}

/** When the step that an exam is at began; null when nobody noted it. */
export function stepSince({ step, steps }: Pick<Exam, 'step' | 'steps'>): string | null {
  if (step === 'receiving') return steps.received_at;
  const [, member] = ROAD[reachedStop(step)] ?? ROAD[0];
  return steps[member];
}

/** The national limit from first medical contact to the ECG, in milliseconds. */
export const FIRST_CONTACT_TO_ECG = 10 * 60_000;

/** How long an ECG took after the first medical contact, or has taken until `now`; null where it is not asked. */
export function sinceFirstContact(
  exam: Pick<Exam, 'lane' | 'first_contact_at' | 'steps'>,
  now: number,
): { taken: number; done: boolean } | null {
  if (exam.lane !== 'ecg' || exam.first_contact_at === null) return null;
  const end = exam.steps.received_at;
  const taken = (end === null ? now : Date.parse(end)) - Date.parse(exam.first_contact_at);
  return { taken, done: end !== null };
}
