import { useInfiniteQuery, useQuery } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import type { components } from '../api/schema';
import type { Filter } from './filter';
import { toQuery } from './filter';

export type AuditEntry = components['schemas']['AuditEntry'];

/** The records that a filter asks for, a page at a time, newest first. */
export function useAudit(filter: Filter) {
  return useInfiniteQuery({
    queryKey: ['audit', filter],
    initialPageParam: null as number | null,
    queryFn: ({ pageParam }) =>
      answer(
        api.GET('/api/audit', {
          params: { query: { ...toQuery(filter), ...(pageParam === null ? {} : { before: pageParam }) } },
        }),
      ),
    getNextPageParam: (page) => page.before,
    // Each search is recorded: it is made when a person asks, not when a window comes to the front.
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    staleTime: Infinity,
  });
}

export function useSeal() {
  return useQuery({ queryKey: ['audit-seal'], queryFn: () => answer(api.GET('/api/audit/seal')) });
}
