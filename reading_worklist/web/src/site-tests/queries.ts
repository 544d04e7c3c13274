import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { SiteTest } from '../api/types';

/** Findings come every second or so; a site that does not answer takes ten. */
const RUNNING_MS = 1000;

export function useSiteTests() {
  return useQuery({
    queryKey: keys.siteTests,
    queryFn: () => answer(api.GET('/api/site-tests')),
    refetchInterval: ({ state }) =>
      state.data?.some((one) => one.asked_at !== null && one.ended_at === null) ? RUNNING_MS : false,
  });
}

export function useSiteTest(code: string) {
  return useQuery({
    queryKey: [...keys.siteTests, code],
    queryFn: () => answer(api.GET('/api/site-tests/{site_code}', { params: { path: { site_code: code } } })),
    refetchInterval: ({ state }) => (isRunning(state.data) ? RUNNING_MS : false),
  });
}

/** Has a site tested; what is found appears through `useSiteTest`. */
export function useStartSiteTest() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (code: string) =>
      answer(api.POST('/api/site-tests/{site_code}', { params: { path: { site_code: code } } })),
    onSettled: () => client.invalidateQueries({ queryKey: keys.siteTests }),
  });
}

export function isRunning(test: SiteTest | null | undefined): boolean {
  return test?.ended_at === null;
}
