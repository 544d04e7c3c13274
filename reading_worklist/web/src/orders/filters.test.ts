import { describe, expect, it } from 'vitest';

import { bodyOf, type OrderFields, ORDER_TABS, statesOf } from './filters';

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

  it('send times in UTC and a document with its kind', () => {
    const body = bodyOf({ ...fields, scheduled_at: '2026-11-22T10:30', document_number: ' 11010519491231002X ' });
    expect(body.steps[0]?.scheduled_at).toBe(new Date('2026-11-22T10:30').toISOString());
    expect(body).toMatchObject({ document_kind: 'resident_id', document_number: '11010519491231002X' });
  });

  it('have every state in one tab at most', () => {
    const states = ORDER_TABS.flatMap((tab) => statesOf(tab));
    expect(new Set(states).size).toBe(states.length);
  });
});
