import type { EcgFinding } from '../api/types';
import { type Language, type PlainKey, textOf } from '../i18n/catalogue';

type Code = EcgFinding['code'];

/** What the technician does about a finding; a long record needs nothing. */
const ADVICE: Partial<Record<Code, PlainKey>> = {
  lead_off: 'ecgQuality.advice.lead_off',
  questionable: 'ecgQuality.advice.lead_off',
  no_signal: 'ecgQuality.advice.no_signal',
  flat_line: 'ecgQuality.advice.lead_off',
  missing_samples: 'ecgQuality.advice.lead_off',
  clipped: 'ecgQuality.advice.clipped',
  mains_noise: 'ecgQuality.advice.mains',
  muscle_noise: 'ecgQuality.advice.muscle',
  baseline_wander: 'ecgQuality.advice.wander',
  too_short: 'ecgQuality.advice.device',
  sampling_rate: 'ecgQuality.advice.device',
  missing_leads: 'ecgQuality.advice.device',
  limb_lead_sum: 'ecgQuality.advice.lead_off',
  arm_reversal: 'ecgQuality.advice.exchange',
  arm_leg_reversal: 'ecgQuality.advice.exchange',
};

/** Units as people write them. */
const UNITS: Record<string, string> = { uV: 'µV', '1': '' };

/** What to do about it; null when there is nothing to do. */
export function adviceOf(language: Language, code: Code): string | null {
  const key = ADVICE[code];
  return key === undefined ? null : textOf(language, key);
}

/** How much of it there is, against the limit: `124 µV (limit 100 µV)`; empty where it is yes or no. */
export function amountOf(language: Language, { value, threshold, unit }: EcgFinding): string {
  if (value === null || threshold === null) return '';
  const written = (amount: number): string => `${Math.round(amount * 10) / 10} ${UNITS[unit] ?? unit}`.trim();
  return textOf(language, 'ecgQuality.value', { value: written(value), limit: written(threshold) });
}
