import { describe, expect, it } from 'vitest';

import type { Order } from '../api/types';
import { bodyOf, canAmend, changeOf, fieldsOf, hasBegun, ORDER_TABS, type OrderFields, statesOf } from './filters';

const fields: OrderFields = {
  patient_local_id: ' P1 ',
  patient_name: '张伟',
  patient_birth_date: '',
  visit_type: 'outpatient',
  priority: 'ROUTINE',
  modality: 'CT',
};

describe('orders', () => {
  it('send what was filled in and leave out what was not', () => {
    expect(bodyOf(fields)).toEqual({
      patient_local_id: 'P1',
      patient_name: '张伟',
      visit_type: 'outpatient',
      priority: 'ROUTINE',
      steps: [{ modality: 'CT' }],
    });
  });

  it('leave out the fields that nobody touched, which a form gives without a value', () => {
    const touched = { ...fields, requester: undefined, laterality: undefined } as unknown as OrderFields;
    expect(bodyOf(touched)).toEqual(bodyOf(fields));
  });

  it('send times in UTC and a document with its kind', () => {
    const body = bodyOf({ ...fields, scheduled_at: '2026-11-22T10:30', document_number: ' 11010519491231002X ' });
    expect(body.steps[0]?.scheduled_at).toBe(new Date('2026-11-22T10:30').toISOString());
    expect(body).toMatchObject({ document_kind: 'resident_id', document_number: '11010519491231002X' });
  });

  it('send the first contact of chest pain alone', () => {
    const stat = { ...fields, priority: 'STAT', first_contact_at: '2026-11-22T08:50' } as const;
    const pain = bodyOf({ ...stat, priority_reason: 'chest_pain' });
    expect(pain).toMatchObject({ first_contact_at: new Date('2026-11-22T08:50').toISOString() });
    expect(bodyOf({ ...stat, priority_reason: 'stroke' })).not.toHaveProperty('first_contact_at');
  });

  it('have every state in one tab at most', () => {
    const states = ORDER_TABS.flatMap((tab) => statesOf(tab));
    expect(new Set(states).size).toBe(states.length);
  });
});

const order: Order = {
  id: 'o',
  site: { id: 's', code: 'EAST', name: '东河', name_en: '' },
  source: 'api',
  state: 'REQUESTED',
  priority: 'STAT',
  study_instance_uid: '2.25.1',
  accession_number: 'A1',
  placer_order_number: null,
  filler_order_number: null,
  requested_procedure_id: 'R1',
  patient_local_id: 'P1',
  patient_id_issuer: null,
  patient_name: '张伟',
  patient_latin_name: 'Zhang Wei',
  patient_name_groups: 'Zhang^Wei=张^伟',
  patient_sex: 'M',
  patient_birth_date: '1968-03-17',
  document_kind: 'resident_id',
  document_number: '110105********002X',
  document_flaw: null,
  visit_type: 'inpatient',
  visit_number: null,
  department: null,
  bed: '12',
  requester: null,
  clinical_diagnosis: '胸痛',
  reason: null,
  procedure_code: 'CT01',
  procedure_description: '胸部CT',
  body_part: null,
  laterality: null,
  contrast: 'plain',
  priority_reason: 'chest_pain',
  first_contact_at: '2026-11-22T00:50:00Z',
  requested_at: '2026-11-22T01:00:00Z',
  checked_in_at: null,
  acquired_at: null,
  cancelled_at: null,
  cancellation_reason: null,
  missing_instances: 0,
  revision: 1,
  steps: [
    {
      step_id: '1',
      modality: 'CT',
      station_ae_title: 'EAST_CT',
      scheduled_at: '2026-11-22T02:30:00Z',
      description: null,
      status: 'SCHEDULED',
    },
    {
      step_id: '2',
      modality: 'DX',
      station_ae_title: null,
      scheduled_at: '2026-11-22T03:00:00Z',
      description: null,
      status: 'SCHEDULED',
    },
  ],
  study_instance_uids: [],
};

describe('an order to be changed', () => {
  it('goes through the form without losing what the form does not show', () => {
    const body = changeOf(order, fieldsOf(order));
    expect(body).toMatchObject({
      patient_name: 'Zhang^Wei=张^伟',
      patient_sex: 'M',
      visit_type: 'inpatient',
      bed: '12',
      procedure_code: 'CT01',
      contrast: 'plain',
      priority_reason: 'chest_pain',
      first_contact_at: '2026-11-22T00:50:00.000Z',
      clinical_diagnosis: '胸痛',
      keep_document: true,
    });
    expect(body.steps).toEqual([
      { modality: 'CT', station_ae_title: 'EAST_CT', scheduled_at: '2026-11-22T02:30:00Z' },
      { modality: 'DX', scheduled_at: '2026-11-22T03:00:00Z' },
    ]);
    expect(body).not.toHaveProperty('document_number');
  });

  it('takes a new name and a new document as typed', () => {
    const fields = { ...fieldsOf(order), patient_name: '章伟', document_number: '11010519491231002X' };
    expect(changeOf(order, fields)).toMatchObject({
      patient_name: '章伟',
      document_number: '11010519491231002X',
      keep_document: false,
    });
  });

  it('is one that the site placed here and that nobody has made', () => {
    expect(canAmend(order)).toBe(true);
    expect(canAmend({ ...order, source: 'hl7' })).toBe(false);
    expect(canAmend({ ...order, state: 'RECEIVED' })).toBe(false);
    expect(hasBegun(order)).toBe(false);
    expect(hasBegun({ ...order, steps: order.steps.map((step) => ({ ...step, status: 'ARRIVED' })) })).toBe(true);
  });
});
