import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { Site, WorkitemPage } from '../api/types';
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

/** The sites seen in the list so far, by code: the choices of the site filter. */
export function useSeenSites(page: WorkitemPage | undefined): readonly Site[] {
  const [seen, setSeen] = useState<readonly Site[]>([]);
  const fresh = (page?.items ?? [])
    .map((item) => item.site)
    .filter((site) => !seen.some((known) => known.code === site.code));
  if (fresh.length > 0) {
    const byCode = new Map([...seen, ...fresh].map((site) => [site.code, site]));
    const sorted = [...byCode.values()].sort((a, b) => a.code.localeCompare(b.code));
    if (sorted.length > seen.length) setSeen(sorted);
  }
  return seen;
}
