import type { ExamState, Order } from '../api/types';

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

type PriorityReason = NonNullable<Order['priority_reason']>;
type Contrast = NonNullable<Order['contrast']>;

/** An order as the form has it. */
export interface OrderFields {
  patient_local_id?: string;
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
  priority_reason?: PriorityReason;
  /** As `scheduled_at`: this machine's wall clock. */
  first_contact_at?: string;
  procedure_code?: string;
  procedure_description?: string;
  body_part?: string;
  contrast?: Contrast;
  laterality?: 'R' | 'L' | 'U' | 'B';
  modality: string;
  scheduled_at?: string;
}

/** Whether the people of the site may still change what they ordered; orders of the HIS are changed there. */
export function canAmend(order: Order): boolean {
  return order.source === 'api' && statesOf('waiting').includes(order.state);
}

/** Whether the device has the step on its hands already: then modality and time stay. */
export function hasBegun(order: Order): boolean {
  return order.steps.some((step) => step.status !== 'SCHEDULED');
}

/** An order as the form shows it; the identity document is known masked only, so its field stays empty. */
export function fieldsOf(order: Order): OrderFields {
  const [step] = order.steps;
  const { patient_sex: sex } = order;
  const filled = {
    patient_birth_date: order.patient_birth_date,
    visit_number: order.visit_number,
    department: order.department,
    requester: order.requester,
    clinical_diagnosis: order.clinical_diagnosis,
    reason: order.reason,
    procedure_description: order.procedure_description,
    body_part: order.body_part,
    laterality: order.laterality,
    procedure_code: order.procedure_code,
    contrast: order.contrast,
    priority_reason: order.priority_reason,
    first_contact_at: order.first_contact_at === null ? null : wallClock(new Date(order.first_contact_at)),
    patient_sex: sex === 'M' || sex === 'F' || sex === 'O' ? sex : null,
    scheduled_at: step === undefined ? null : wallClock(new Date(step.scheduled_at)),
  };
  const present = Object.fromEntries(Object.entries(filled).filter(([, value]) => value !== null));
  return {
    patient_local_id: order.patient_local_id ?? '',
    patient_name: order.patient_name,
    visit_type: order.visit_type,
    priority: order.priority,
    modality: step?.modality ?? '',
    ...(present as Partial<OrderFields>),
  };
}

/** What the API takes to change `order`: what the form does not show stays as it is. */
export function changeOf(order: Order, fields: OrderFields) {
  const { steps, ...body } = bodyOf(fields);
  const [first, ...others] = order.steps;
  const [wanted] = steps;
  const kept = others.map(stepOf);
  return {
    ...body,
    // Typed anew, a name has one group; left alone, it keeps all that the order had.
    ...(fields.patient_name.trim() === order.patient_name ? { patient_name: order.patient_name_groups } : {}),
    ...(order.patient_id_issuer === null ? {} : { patient_id_issuer: order.patient_id_issuer }),
    ...(order.bed === null ? {} : { bed: order.bed }),
    keep_document: !('document_number' in body),
    steps: [
      {
        ...wanted,
        ...(first === undefined ? {} : stepOf(first)),
        // The form knows the time to the minute.
        ...(wanted?.scheduled_at === undefined || fields.scheduled_at === fieldsOf(order).scheduled_at
          ? {}
          : { scheduled_at: wanted.scheduled_at }),
        modality: wanted?.modality ?? fields.modality,
      },
      ...kept,
    ],
  };
}

function stepOf(step: Order['steps'][number]) {
  return {
    modality: step.modality,
    scheduled_at: step.scheduled_at,
    ...(step.station_ae_title === null ? {} : { station_ae_title: step.station_ae_title }),
    ...(step.description === null ? {} : { description: step.description }),
  };
}

/** The form of `datetime-local` fields: this machine's wall clock, to the minute. */
export function wallClock(at: Date): string {
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** What the API takes for the fields of the form; what was left empty is not sent. */
export function bodyOf(fields: OrderFields) {
  const {
    modality,
    scheduled_at: at = '',
    document_number: number = '',
    first_contact_at: contact = '',
    ...rest
  } = fields;
  // A field that nobody touched is there without a value.
  const filled = Object.entries<string | undefined>(rest)
    .map(([name, value]) => [name, value?.trim() ?? ''] as const)
    .filter(([, value]) => value !== '');
  return {
    ...(Object.fromEntries(filled) as typeof rest),
    ...(number.trim() === '' ? {} : { document_kind: 'resident_id' as const, document_number: number.trim() }),
    // Only chest pain has a first contact; the fields hold this machine's wall clock.
    ...(contact === '' || fields.priority_reason !== 'chest_pain'
      ? {}
      : { first_contact_at: new Date(contact).toISOString() }),
    steps: [{ modality, ...(at === '' ? {} : { scheduled_at: new Date(at).toISOString() }) }],
  };
}
