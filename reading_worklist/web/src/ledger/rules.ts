import type { StuckRule } from '../api/types';

/** Where an exam may be stuck, in the order of its road. */
export const STUCK_RULES = [
  'not_checked_in',
  'not_examined',
  'not_sent',
  'not_complete',
  'missing',
  'identity',
  'retake',
  'unclaimed',
  'late',
  'not_delivered',
  'refused',
  'paused',
  'not_received',
  'unopened',
  'recall',
] as const satisfies readonly StuckRule[];
