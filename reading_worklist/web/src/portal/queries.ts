import { keepPreviousData, useQuery } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { ExamStep } from './road';

export const PAGE_SIZE = 50;

export interface ExamFilters {
  text: string;
  step: ExamStep | null;
  page: number;
}

export function useExams({ text, step, page }: ExamFilters) {
  const query = {
    page,
    page_size: PAGE_SIZE,
    ...(text === '' ? {} : { q: text }),
    ...(step === null ? {} : { step }),
  };
  return useQuery({
    queryKey: [...keys.portal, 'list', query],
    queryFn: () => answer(api.GET('/api/portal/exams', { params: { query } })),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });
}

export function useExam(id: string) {
  return useQuery({
    queryKey: keys.portalExam(id),
    queryFn: () => answer(api.GET('/api/portal/exams/{workitem_id}', { params: { path: { workitem_id: id } } })),
  });
}
