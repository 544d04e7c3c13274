import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { StuckRule } from '../api/types';

const PAGE_SIZE = 50;
const LIST_INTERVAL = 60_000;

export interface LedgerFilters {
  stuck: boolean;
  rule: StuckRule | null;
  text: string;
  site: string | null;
}

function queryOf({ stuck, rule, text, site }: LedgerFilters) {
  return {
    ...(stuck ? { stuck } : {}),
    ...(rule === null ? {} : { rule }),
    ...(text === '' ? {} : { q: text }),
    ...(site === null ? {} : { site }),
  };
}

/** The lines of the ledger, page after page. */
export function useLedger(filters: LedgerFilters) {
  const query = queryOf(filters);
  return useInfiniteQuery({
    queryKey: [...keys.ledger, 'list', query],
    queryFn: ({ pageParam }) =>
      answer(
        api.GET('/api/ledger', {
          params: { query: { ...query, page_size: PAGE_SIZE, ...(pageParam === null ? {} : { after: pageParam }) } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: LIST_INTERVAL,
  });
}

/** How many exams are stuck, and by what. */
export function useStuckCounts(site: string | null) {
  return useQuery({
    queryKey: [...keys.ledger, 'counts', site],
    queryFn: () => answer(api.GET('/api/ledger/counts', { params: { query: site === null ? {} : { site } } })),
    refetchInterval: LIST_INTERVAL,
  });
}

export function useLedgerLine(id: string) {
  return useQuery({
    queryKey: [...keys.ledger, 'one', id],
    queryFn: () => answer(api.GET('/api/ledger/{exam_id}', { params: { path: { exam_id: id } } })),
    refetchInterval: LIST_INTERVAL,
  });
}

/** The address of the list as a table. */
export function exportAddress(filters: LedgerFilters, language: 'zh-CN' | 'en'): string {
  const parameters = new URLSearchParams({ language });
  for (const [name, value] of Object.entries(queryOf(filters))) parameters.set(name, String(value));
  return `/api/ledger.csv?${parameters.toString()}`;
}

/** Takes down that somebody of the site knows of a recall. */
export function useToldByTelephone() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, name, role }: { id: string; name: string; role: string }) =>
      answer(
        api.POST('/api/recalls/{recall_id}/acknowledge', {
          params: { path: { recall_id: id } },
          body: { name, role },
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: keys.ledger }),
  });
}
