import type { Consultation, ConsultationState } from '../api/types';
import type { Tone } from '../design/Chip';

const TONES: Record<ConsultationState, Tone> = {
  APPLIED: 'amber',
  ACCEPTED: 'blue',
  DECLINED: 'red',
  SCHEDULED: 'blue',
  OPINION_SIGNED: 'violet',
  ARCHIVED: 'green',
  RATED: 'green',
};

export function toneOf(state: ConsultationState): Tone {
  return TONES[state];
}

const UNANSWERED: ReadonlySet<ConsultationState> = new Set<ConsultationState>(['APPLIED', 'ACCEPTED', 'SCHEDULED']);

/** Whether the clock of the answer runs. */
export function isUnanswered({ state }: Pick<Consultation, 'state'>): boolean {
  return UNANSWERED.has(state);
}
