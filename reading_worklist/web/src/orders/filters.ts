import type { ExamState } from '../api/types';

/** What the list of orders can be narrowed to: sets of states. */
export const ORDER_TABS = ['waiting', 'under', 'problem', 'all'] as const;
export type OrderTab = (typeof ORDER_TABS)[number];

const STATES: Record<OrderTab, readonly ExamState[]> = {
  waiting: ['REQUESTED', 'CHECKED_IN'],
  under: ['ACQUIRED', 'RECEIVED', 'QUEUED'],
  problem: ['INCOMPLETE', 'IDENTITY_HOLD', 'RETAKE', 'REJECTED_QUALITY'],
  all: [],
};

/** The states that a tab shows; none means every state. */
export function statesOf(tab: OrderTab): readonly ExamState[] {
  return STATES[tab];
}

/** An order as the form has it. */
export interface OrderFields {
  patient_local_id: string;
  patient_name: string;
  patient_sex?: 'M' | 'F' | 'O';
  patient_birth_date?: string;
  document_number?: string;
  visit_type: 'outpatient' | 'inpatient' | 'emergency' | 'checkup' | 'other';
  visit_number?: string;
  department?: string;
  requester?: string;
  clinical_diagnosis?: string;
  reason?: string;
  priority: 'STAT' | 'URGENT' | 'ROUTINE';
  procedure_description?: string;
  body_part?: string;
  laterality?: 'R' | 'L' | 'U' | 'B';
  modality: string;
  scheduled_at?: string;
}

/** What the API takes for the fields of the form; what was left empty is not sent. */
export function bodyOf(fields: OrderFields) {
  const { modality, scheduled_at: at = '', document_number: number = '', ...rest } = fields;
  const filled = Object.entries(rest)
    .map(([name, value]) => [name, value.trim()] as const)
    .filter(([, value]) => value !== '');
  return {
    ...(Object.fromEntries(filled) as typeof rest),
    ...(number.trim() === '' ? {} : { document_kind: 'resident_id' as const, document_number: number.trim() }),
    // The field holds this machine's wall clock.
    steps: [{ modality, ...(at === '' ? {} : { scheduled_at: new Date(at).toISOString() }) }],
  };
}
