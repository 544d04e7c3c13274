import { keepPreviousData, useQuery } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { Site } from '../api/types';
import { type Filters, statesOf } from './filters';

export const PAGE_SIZE = 50;

/** One page of the worklist. While a new one loads the old one stays, so that nothing jumps. */
export function useWorklist(filters: Filters) {
  const query = {
    state: [...statesOf(filters.tab)],
    page: filters.page,
    page_size: PAGE_SIZE,
    ...(filters.lane === null ? {} : { lane: filters.lane }),
    ...(filters.site === null ? {} : { site: filters.site }),
    ...(filters.text === '' ? {} : { q: filters.text }),
    ...(filters.mine ? { mine: true } : {}),
  };
  return useQuery({
    queryKey: [...keys.workitems, query],
    queryFn: () => answer(api.GET('/api/workitems', { params: { query } })),
    placeholderData: keepPreviousData,
    // Events bring changes at once; this finds what an interrupted connection missed.
    refetchInterval: 60_000,
  });
}

/** The sites that send to this centre: the choices of the site filter. */
export function useSites(): readonly Site[] {
  const sites = useQuery({
    queryKey: keys.sites,
    queryFn: () => answer(api.GET('/api/sites')),
    staleTime: Infinity,
  });
  return sites.data ?? [];
}
