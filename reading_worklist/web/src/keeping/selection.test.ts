import { describe, expect, it } from 'vitest';

import type { DuePatient } from '../api/types';
import { isSelectable, isSelected, NOTHING, toggled } from './selection';

const study = (id: string, obstacles: string[] = []) => ({
  study_id: id,
  study_instance_uid: `1.${id}`,
  study_date: null,
  study_description: null,
  modalities: ['CT'],
  instances: 1,
  bytes: 10,
  obstacles,
});
const patient = (site: string, ...studies: DuePatient['studies']): DuePatient => ({
  patient_id: studies.map((one) => one.study_id).join(),
  site_code: site,
  site_name_en: '',
  site_name: site,
  local_id: null,
  patient_latin_name: '',
  patient_name: '',
  last_visit: '2000-01-01',
  due_on: '2015-01-01',
  studies,
});

describe('what is selected to be purged', () => {
  const east = patient('EAST', study('1'), study('2', ['legal_hold']));
  const west = patient('WEST', study('3'));

  it('takes only studies that nothing stands against', () => {
    const selection = toggled(NOTHING, east);
    expect([...selection.studyIds]).toEqual(['1']);
    expect(isSelected(selection, east)).toBe(true);
    expect(isSelectable(NOTHING, patient('EAST', study('4', ['not_due'])))).toBe(false);
  });

  it('holds studies of one site at a time', () => {
    const selection = toggled(NOTHING, east);
    expect(isSelectable(selection, west)).toBe(false);
    expect(toggled(selection, west)).toBe(selection);
  });

  it('forgets the site with the last study', () => {
    const selection = toggled(toggled(NOTHING, east), east);
    expect(selection.studyIds.size).toBe(0);
    expect(isSelectable(selection, west)).toBe(true);
  });
});
