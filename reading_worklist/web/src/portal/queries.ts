import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { Measure } from '../api/types';
import type { ExamFilters } from './filters';

export const PAGE_SIZE = 50;
const LIST_INTERVAL = 60_000;
/** While images come, no event tells how many are here. */
const COMING_INTERVAL = 10_000;

export function useExams({ text, step, modality, needs, page }: ExamFilters, pageSize: number = PAGE_SIZE) {
  const query = {
    page,
    page_size: pageSize,
    ...(text === '' ? {} : { q: text }),
    ...(step === null ? {} : { step }),
    ...(modality === null ? {} : { modality }),
    ...(needs === null ? {} : { needs }),
  };
  return useQuery({
    queryKey: [...keys.portal, 'list', query],
    queryFn: () => answer(api.GET('/api/portal/exams', { params: { query } })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.items.some((exam) => exam.step === 'receiving') === true ? COMING_INTERVAL : LIST_INTERVAL,
  });
}

export function useHome() {
  return useQuery({
    queryKey: [...keys.portal, 'home'],
    queryFn: () => answer(api.GET('/api/portal/home')),
    refetchInterval: LIST_INTERVAL,
  });
}

export function useExam(id: string) {
  return useQuery({
    queryKey: keys.portalExam(id),
    queryFn: () => answer(api.GET('/api/portal/exams/{exam_id}', { params: { path: { exam_id: id } } })),
    refetchInterval: ({ state }) => (state.data?.step === 'receiving' ? COMING_INTERVAL : false),
  });
}

/** Whether the images of an exam may be deleted from the modality; asked anew when the exam has changed. */
export function useKept(id: string) {
  return useQuery({
    queryKey: [...keys.portalExam(id), 'kept'],
    queryFn: () => answer(api.GET('/api/portal/exams/{exam_id}/kept', { params: { path: { exam_id: id } } })),
  });
}

/** The recalls of reports that this person has opened, and the way to say that one knows. */
export function useRecallAct() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      answer(api.POST('/api/portal/recalls/{recall_id}/acknowledge', { params: { path: { recall_id: id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: keys.portal }),
  });
}

export function useStatistics(month: string) {
  return useQuery({
    queryKey: [...keys.portal, 'statistics', month],
    queryFn: () => answer(api.GET('/api/portal/statistics', { params: { query: { month } } })),
    placeholderData: keepPreviousData,
  });
}

export interface Counted {
  month: string;
  modality: string;
  measure: Measure;
  page: number;
}

/** The exams that a figure counts. */
export function useCounted({ month, modality, measure, page }: Counted) {
  const query = { month, modality, measure, page, page_size: PAGE_SIZE };
  return useQuery({
    queryKey: [...keys.portal, 'counted', query],
    queryFn: () => answer(api.GET('/api/portal/statistics/exams', { params: { query } })),
    placeholderData: keepPreviousData,
  });
}
