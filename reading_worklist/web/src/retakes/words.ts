import type { Lane, Retake, RetakeReason, RetakeState } from '../api/types';
import type { Tone } from '../design/Chip';
import { type Language, textOf } from '../i18n/catalogue';

const TONES: Record<RetakeState, Tone> = {
  REQUESTED: 'red',
  ACKNOWLEDGED: 'amber',
  RECEIVED: 'blue',
  CLOSED: 'green',
  DECLINED: 'slate',
  CANCELLED: 'slate',
};

export function toneOf(state: RetakeState): Tone {
  return TONES[state];
}

const IMAGING: readonly RetakeReason[] = [
  'MOTION',
  'POSITIONING',
  'COVERAGE',
  'EXPOSURE',
  'FOREIGN_BODY',
  'WRONG_PART',
  'MISSING_SERIES',
  'CONTRAST',
  'OTHER',
];
const ECG: readonly RetakeReason[] = ['LEADS', 'NOISE', 'MOTION', 'OTHER'];

/** What can be wrong with an exam of a lane. */
export function reasonsOf(lane: Lane): readonly RetakeReason[] {
  return lane === 'ecg' ? ECG : IMAGING;
}

/** Why an exam goes back, in a line: the item of the list, and what was said besides. */
export function whyOf(language: Language, retake: Pick<Retake, 'reason_code' | 'reason'>): string {
  const { reason_code: code, reason } = retake;
  if (code === null || code === 'OTHER') return reason;
  return [textOf(language, `retake.reason.${code}`), reason].filter((part) => part !== '').join(' · ');
}
