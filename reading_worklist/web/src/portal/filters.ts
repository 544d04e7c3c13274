import type { ExamStep, Need } from '../api/types';
import { EXAM_STEPS } from './road';

export const NEEDS = ['attention', 'unopened', 'late'] as const satisfies readonly Need[];
export const MODALITIES = ['DX', 'CT', 'MR', 'US', 'MG', 'CR', 'ECG'] as const;

/** What the list of exams is narrowed to; null and empty are everything. */
export interface ExamFilters {
  text: string;
  step: ExamStep | null;
  modality: string | null;
  needs: Need | null;
  page: number;
}

export const ALL_EXAMS: ExamFilters = { text: '', step: null, modality: null, needs: null, page: 1 };

/** The filters that an address holds; what it does not know is left out. */
export function filtersFrom(parameters: URLSearchParams): ExamFilters {
  const page = Number(parameters.get('page') ?? '1');
  return {
    text: parameters.get('q') ?? '',
    step: EXAM_STEPS.find((step) => step === parameters.get('step')) ?? null,
    modality: MODALITIES.find((modality) => modality === parameters.get('modality')) ?? null,
    needs: NEEDS.find((need) => need === parameters.get('needs')) ?? null,
    page: Number.isInteger(page) && page > 0 ? page : 1,
  };
}

/** The address that holds some filters. */
export function parametersFrom({ text, step, modality, needs, page }: ExamFilters): URLSearchParams {
  const parameters = new URLSearchParams();
  if (text !== '') parameters.set('q', text);
  if (step !== null) parameters.set('step', step);
  if (modality !== null) parameters.set('modality', modality);
  if (needs !== null) parameters.set('needs', needs);
  if (page !== 1) parameters.set('page', String(page));
  return parameters;
}

/** Whether anything is narrowed. */
export function isNarrowed({ text, step, modality, needs }: ExamFilters): boolean {
  return text !== '' || step !== null || modality !== null || needs !== null;
}
