import type { Destination } from '../api/types';
import type { PlainKey } from '../i18n/catalogue';

export interface Setting {
  name: string;
  label: PlainKey;
  /** `lines`: several words, one a line. */
  type: 'text' | 'number' | 'switch' | 'choice' | 'lines';
  required?: true;
  choices?: readonly (readonly [value: string, label: PlainKey | null])[];
  initial?: string | number | boolean;
}

const HOST: Setting = { name: 'host', label: 'destinations.field.host', type: 'text', required: true };
const port = (initial: number): Setting => ({
  name: 'port',
  label: 'destinations.field.port',
  type: 'number',
  required: true,
  initial,
});

/** What a page asks for each kind; all else is set on the server, see `storage.registry.destination_settings`. */
export const SETTINGS: Record<Destination['kind'], readonly Setting[]> = {
  dicom: [
    { name: 'ae_title', label: 'destinations.field.ae_title', type: 'text', required: true },
    HOST,
    port(104),
    { name: 'structured', label: 'destinations.field.structured', type: 'switch', initial: true },
    { name: 'commitment', label: 'destinations.field.commitment', type: 'switch', initial: false },
  ],
  hl7: [
    HOST,
    port(2575),
    { name: 'receiving_application', label: 'destinations.field.receiving_application', type: 'text' },
    { name: 'receiving_facility', label: 'destinations.field.receiving_facility', type: 'text' },
    {
      name: 'character_set',
      label: 'destinations.field.character_set',
      type: 'choice',
      choices: [
        ['UNICODE UTF-8', null],
        ['GB18030', null],
      ],
      initial: 'UNICODE UTF-8',
    },
    {
      name: 'content',
      label: 'destinations.field.content',
      type: 'choice',
      choices: [
        ['both', 'destinations.option.both'],
        ['text', 'destinations.option.text'],
        ['pdf', 'destinations.option.pdf'],
      ],
      initial: 'both',
    },
    { name: 'test_message', label: 'destinations.field.test_message', type: 'switch', initial: false },
  ],
  fhir: [
    { name: 'url', label: 'destinations.field.url', type: 'text', required: true },
    { name: 'patient_system', label: 'destinations.field.patient_system', type: 'text' },
    { name: 'with_pdf', label: 'destinations.field.with_pdf', type: 'switch', initial: true },
  ],
  webhook: [
    { name: 'url', label: 'destinations.field.url', type: 'text', required: true },
    { name: 'with_report', label: 'destinations.field.with_report', type: 'switch', initial: false },
  ],
  notice: [
    {
      name: 'way',
      label: 'destinations.field.way',
      type: 'choice',
      choices: [
        ['email', 'destinations.option.email'],
        ['sms', 'destinations.option.sms'],
      ],
      initial: 'email',
    },
    { name: 'recipients', label: 'destinations.field.recipients', type: 'lines', required: true },
    { name: 'host', label: 'destinations.field.host', type: 'text' },
    port(587),
    { name: 'sender', label: 'destinations.field.sender', type: 'text' },
    { name: 'url', label: 'destinations.field.url', type: 'text' },
  ],
};
