import type { DuePatient } from '../api/types';

export interface Selection {
  site: string | null;
  studyIds: ReadonlySet<string>;
}

export const NOTHING: Selection = { site: null, studyIds: new Set() };

const removable = (patient: DuePatient): string[] =>
  patient.studies.filter((study) => study.obstacles.length === 0).map((study) => study.study_id);

/** Whether a patient's studies may be taken into a selection: some may go, and one purge is for one site. */
export function isSelectable(selection: Selection, patient: DuePatient): boolean {
  return removable(patient).length > 0 && (selection.site === null || selection.site === patient.site_code);
}

/** Whether all removable studies of a patient are selected. */
export function isSelected(selection: Selection, patient: DuePatient): boolean {
  const ids = removable(patient);
  return ids.length > 0 && ids.every((id) => selection.studyIds.has(id));
}

/** Takes a patient's removable studies in, or out again. */
export function toggled(selection: Selection, patient: DuePatient): Selection {
  if (!isSelectable(selection, patient)) return selection;
  const studyIds = new Set(selection.studyIds);
  const out = isSelected(selection, patient);
  for (const id of removable(patient)) {
    if (out) studyIds.delete(id);
    else studyIds.add(id);
  }
  return studyIds.size === 0 ? NOTHING : { site: patient.site_code, studyIds };
}
