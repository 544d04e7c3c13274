import { AutoComplete, Form, Input, Select } from 'antd';
import { useDeferredValue, useState } from 'react';

import type { Order, SitePatient } from '../api/types';
import { useMinute } from '../design/clock';
import { formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import type { OrderFields } from './filters';
import { useSitePatients } from './queries';
import { looksLikeResidentId, residentIdOf } from './residentId';

/** The field that a new order begins with. */
export const PATIENT_SEARCH = 'order-patient-search';

const VISITS = ['outpatient', 'inpatient', 'emergency', 'checkup', 'other'] as const;
const SEXES = ['M', 'F', 'O'] as const;

/** Who is examined: a resident identity number fills birth date and sex, a known patient all he is known by. */
export function PatientFields({ order }: { order: Order | null }) {
  const { t } = useLanguage();
  const form = Form.useFormInstance<OrderFields>();
  const number = Form.useWatch('document_number', form) ?? '';
  const resident = residentIdOf(number);
  const follow = (typed: string): void => {
    const said = residentIdOf(typed);
    if (said !== null) form.setFieldsValue({ patient_birth_date: said.birthDate, patient_sex: said.sex });
  };
  return (
    <fieldset>
      <legend>{t('orders.form.patient')}</legend>
      {order === null && <PatientSearch onNumber={follow} />}
      <Form.Item
        name="patient_name"
        label={t('orders.form.name')}
        rules={[{ required: true, whitespace: true, message: t('orders.required') }]}
      >
        <Input maxLength={194} autoComplete="off" />
      </Form.Item>
      <Form.Item
        name="document_number"
        label={t('orders.form.documentNumber')}
        rules={[
          {
            validator: async (_rule, value?: string) => {
              const typed = value?.trim() ?? '';
              if (typed !== '' && residentIdOf(typed) === null) throw new Error(t('orders.form.badId'));
              return Promise.resolve();
            },
          },
        ]}
        {...(order?.document_number ? { extra: t('orders.form.documentKept') } : {})}
      >
        <Input
          maxLength={18}
          autoComplete="off"
          placeholder={order?.document_number ?? ''}
          onChange={(event) => follow(event.target.value)}
        />
      </Form.Item>
      <Form.Item name="patient_local_id" label={t('orders.form.localId')}>
        <Input maxLength={64} autoComplete="off" disabled={order !== null} placeholder={t('orders.form.assigned')} />
      </Form.Item>
      <Form.Item
        name="patient_birth_date"
        label={t('orders.form.birthDate')}
        dependencies={['document_number']}
        rules={[matches(resident?.birthDate, t('orders.form.contradicts'))]}
      >
        <Input type="date" />
      </Form.Item>
      <Form.Item
        name="patient_sex"
        label={t('orders.form.sex')}
        dependencies={['document_number']}
        rules={[matches(resident?.sex, t('orders.form.contradicts'))]}
      >
        <Select allowClear options={SEXES.map((sex) => ({ value: sex, label: t(`sex.${sex}`) }))} />
      </Form.Item>
      <Form.Item name="visit_type" label={t('orders.form.visitType')}>
        <Select options={VISITS.map((visit) => ({ value: visit, label: t(`orders.visit.${visit}`) }))} />
      </Form.Item>
      <Form.Item name="visit_number" label={t('orders.form.visitNumber')}>
        <Input maxLength={64} autoComplete="off" />
      </Form.Item>
      <Form.Item name="department" label={t('orders.form.department')}>
        <Input maxLength={64} />
      </Form.Item>
      <Form.Item name="requester" label={t('orders.form.requester')}>
        <Input maxLength={64} />
      </Form.Item>
    </fieldset>
  );
}

/** A rule of the form: what is given is what the identity number says, as far as it says anything. */
function matches(said: string | undefined, message: string) {
  return {
    validator: async (_rule: unknown, value?: string) => {
      if (said !== undefined && value !== undefined && value !== '' && value !== said) throw new Error(message);
      return Promise.resolve();
    },
  };
}

/** One field for all that is known of somebody: a scanned identity number, a name in any reading, an id of the site. */
function PatientSearch({ onNumber }: { onNumber: (typed: string) => void }) {
  const { t } = useLanguage();
  const now = useMinute();
  const form = Form.useFormInstance<OrderFields>();
  const [typed, setTyped] = useState('');
  const found = useSitePatients(useDeferredValue(typed.trim()));
  const known = typed.trim().length > 1 ? (found.data ?? []) : [];
  const take = (patient: SitePatient): void => {
    form.setFieldsValue({
      patient_local_id: patient.local_id,
      patient_name: patient.name_groups,
      ...(patient.birth_date === null ? {} : { patient_birth_date: patient.birth_date }),
      ...(patient.sex === 'M' || patient.sex === 'F' || patient.sex === 'O' ? { patient_sex: patient.sex } : {}),
    });
  };
  return (
    <Form.Item label={t('orders.form.search')} htmlFor={PATIENT_SEARCH} className="order-wide">
      <AutoComplete
        id={PATIENT_SEARCH}
        defaultActiveFirstOption
        value={typed}
        placeholder={t('orders.form.searchHint')}
        options={known.map((patient) => ({
          value: patient.local_id,
          label: t('orders.form.knownOf', {
            name: patient.name,
            id: patient.local_id,
            time: formatShortTime(patient.last_at, now),
          }),
        }))}
        onChange={(text: string) => {
          setTyped(text);
          if (looksLikeResidentId(text)) {
            form.setFieldsValue({ document_number: text.trim() });
            onNumber(text);
          }
        }}
        onSelect={(localId: string) => {
          const patient = known.find((one) => one.local_id === localId);
          if (patient === undefined) return;
          take(patient);
          setTyped(patient.name);
        }}
      />
    </Form.Item>
  );
}
