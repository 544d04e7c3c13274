import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { CriticalDetail, CriticalState } from '../api/types';
import type { CaseFilters } from '../design/CaseFilter';

export const PAGE_SIZE = 50;

/** The states in which somebody still has to do something. */
export const OPEN_STATES: readonly CriticalState[] = [
  'SUSPECTED',
  'CONFIRMED',
  'NOTIFYING',
  'ESCALATED',
  'ACKED',
  'ACTIONED',
];

export function useCriticalValues({ open, site, page }: CaseFilters) {
  const query = {
    page,
    page_size: PAGE_SIZE,
    ...(open ? { state: [...OPEN_STATES] } : {}),
    ...(site === null ? {} : { site }),
  };
  return useQuery({
    queryKey: [...keys.critical, 'list', query],
    queryFn: () => answer(api.GET('/api/critical-values', { params: { query } })),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });
}

const OPEN_MAX = 200;
const WATCH_INTERVAL = 30_000;

/** Every open critical value that this person may see, watched even while the page is hidden. */
export function useOpenCriticalValues(enabled: boolean) {
  const query = { page: 1, page_size: OPEN_MAX, state: [...OPEN_STATES] };
  return useQuery({
    queryKey: keys.criticalOpen,
    queryFn: () => answer(api.GET('/api/critical-values', { params: { query } })),
    enabled,
    refetchInterval: WATCH_INTERVAL,
    refetchIntervalInBackground: true,
  });
}

/** The critical values of one study. */
export function useCriticalOf(workitem: string) {
  return useQuery({
    queryKey: [...keys.critical, 'of', workitem],
    queryFn: () => answer(api.GET('/api/critical-values', { params: { query: { workitem, page_size: PAGE_SIZE } } })),
  });
}

const path = (id: string) => ({ params: { path: { value_id: id } } });

export function useCritical(id: string) {
  return useQuery({
    queryKey: keys.criticalValue(id),
    queryFn: () => answer(api.GET('/api/critical-values/{value_id}', path(id))),
    refetchInterval: WATCH_INTERVAL,
  });
}

export function useRulesets() {
  return useQuery({
    queryKey: ['critical-rulesets'],
    queryFn: () => answer(api.GET('/api/critical-values/rulesets')),
    staleTime: Infinity,
  });
}

export interface CallBody {
  name: string;
  phone: string;
  answered: boolean;
  note: string;
}

export type CriticalAct =
  | { act: 'support' | 'confirm' | 'close' }
  | { act: 'dismiss'; reason: string }
  | { act: 'call'; body: CallBody }
  | { act: 'acknowledge'; body: { read_back: string; name?: string; role?: string } }
  | { act: 'action'; body: { action: string; name?: string } };

function perform(id: string, request: CriticalAct): Promise<CriticalDetail> {
  switch (request.act) {
    case 'support':
      return answer(api.POST('/api/critical-values/{value_id}/support', path(id)));
    case 'confirm':
      return answer(api.POST('/api/critical-values/{value_id}/confirm', path(id)));
    case 'close':
      return answer(api.POST('/api/critical-values/{value_id}/close', path(id)));
    case 'dismiss':
      return answer(
        api.POST('/api/critical-values/{value_id}/dismiss', { ...path(id), body: { reason: request.reason } }),
      );
    case 'call':
      return answer(api.POST('/api/critical-values/{value_id}/calls', { ...path(id), body: request.body }));
    case 'acknowledge':
      return answer(api.POST('/api/critical-values/{value_id}/acknowledge', { ...path(id), body: request.body }));
    case 'action':
      return answer(api.POST('/api/critical-values/{value_id}/action', { ...path(id), body: request.body }));
  }
}

/** Does something with a critical value; every list of them and the telephone list are renewed. */
export function useCriticalAct(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (request: CriticalAct) => perform(id, request),
    onSuccess: (detail) => {
      client.setQueryData(keys.criticalValue(id), detail);
      void client.invalidateQueries({ queryKey: keys.critical });
      void client.invalidateQueries({ queryKey: keys.phone });
    },
  });
}

/** Says that a study shows something critical. */
export function useRaise(workitem: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { finding: string; ruleset: string | null; rule_code: string | null }) =>
      answer(
        api.POST('/api/workitems/{workitem_id}/critical-values', {
          params: { path: { workitem_id: workitem } },
          body,
        }),
      ),
    onSuccess: () => void client.invalidateQueries({ queryKey: keys.critical }),
  });
}
