import { keepPreviousData, useQuery } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';

export const PAGE_SIZE = 50;

/** Preliminary reports that wait for their final review, the first due first. */
export function usePreliminary(page: number) {
  return useQuery({
    queryKey: [...keys.preliminary, page],
    queryFn: () => answer(api.GET('/api/preliminary-reports', { params: { query: { page, page_size: PAGE_SIZE } } })),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });
}
