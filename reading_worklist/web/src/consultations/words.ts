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

const DRAFT_KEY = 'rdc.opinion';

/** The opinion that was typed and not signed yet, kept in this browser so that a closed tab loses nothing. */
export function keptOpinion(id: string): string {
  return localStorage.getItem(`${DRAFT_KEY}.${id}`) ?? '';
}

/** Keeps an opinion that is being typed; an empty one is forgotten. */
export function keepOpinion(id: string, text: string): void {
  if (text === '') localStorage.removeItem(`${DRAFT_KEY}.${id}`);
  else localStorage.setItem(`${DRAFT_KEY}.${id}`, text);
}
