import type { CriticalState, CriticalValue, Session } from '../api/types';
import type { Tone } from '../design/Chip';

const TONES: Record<CriticalState, Tone> = {
  SUSPECTED: 'amber',
  CONFIRMED: 'red',
  NOTIFYING: 'red',
  ESCALATED: 'red',
  ACKED: 'blue',
  ACTIONED: 'green',
  CLOSED: 'slate',
  DISMISSED: 'slate',
};

export function toneOf(state: CriticalState): Tone {
  return TONES[state];
}

/** Whether nobody of the site has acknowledged it although it was told. */
export function isUnheard({ state }: Pick<CriticalValue, 'state'>): boolean {
  return state === 'NOTIFYING' || state === 'ESCALATED';
}

/** Whether somebody acts for a site, and so sees only what it was told. */
export function isSite(session: Session | null | undefined): boolean {
  return session?.roles.every((role) => role.startsWith('site_')) ?? false;
}

/** What a critical value waits for that calls people to it at once: a word of the catalogue, or null. */
export type Call = 'confirm' | 'unheard' | 'escalated' | 'overdue';

export function callOf(value: CriticalValue, site: boolean): Call | null {
  if (value.state === 'SUSPECTED') return site ? null : 'confirm';
  if (value.state === 'ESCALATED') return 'escalated';
  if (value.state === 'NOTIFYING' || value.state === 'CONFIRMED') return site ? 'unheard' : null;
  if (value.state === 'ACKED' && value.action_overdue) return 'overdue';
  return null;
}

/** What rings anew: a value that begins to call, or is told to the next. */
export function ringKey(value: CriticalValue, call: Call): string {
  return `${value.id} ${call} ${value.level}`;
}

/** The steps of telling, one after the other as long as nobody answers. */
export const STEPS = [0, 1, 2, 3] as const;

/** A step of telling as the catalogue and the server name it. */
export function stepOf(step: number): (typeof STEPS)[number] {
  return STEPS.find((one) => one === step) ?? 3;
}
