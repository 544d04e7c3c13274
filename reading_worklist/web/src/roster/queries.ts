import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import type { components } from '../api/schema';

type Schemas = components['schemas'];

export type Duty = Schemas['DutyView'];
export type DutyBody = Schemas['DutyBody'];

const ROSTER = ['routing', 'roster'] as const;
const A_MINUTE = 60_000;

export function useRoster(from: string, to: string) {
  return useQuery({
    queryKey: [...ROSTER, from, to],
    queryFn: () => answer(api.GET('/api/roster', { params: { query: { from, to } } })),
    placeholderData: keepPreviousData,
    refetchInterval: A_MINUTE,
  });
}

/** The roster of the week that begins now. */
export function useRosterFromNow() {
  return useQuery({
    queryKey: [...ROSTER, 'now'],
    queryFn: () => answer(api.GET('/api/roster')),
    refetchInterval: A_MINUTE,
  });
}

type Act = { kind: 'add'; body: DutyBody } | { kind: 'cancel'; id: string } | { kind: 'copy'; firstDay: string };

function perform(act: Act): Promise<unknown> {
  switch (act.kind) {
    case 'add':
      return answer(api.POST('/api/roster', { body: act.body }));
    case 'cancel':
      return answer(api.DELETE('/api/roster/{duty_id}', { params: { path: { duty_id: act.id } } }));
    case 'copy':
      return answer(api.POST('/api/roster/copy', { body: { first_day: act.firstDay } }));
  }
}

/** Changes the roster; it is asked again, also after a refusal. */
export function useRosterAct() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: perform,
    onSettled: () => client.invalidateQueries({ queryKey: ROSTER }),
  });
}

/** How many duties a copy added. */
export function addedBy(answered: unknown): number {
  return typeof answered === 'object' && answered !== null && 'added' in answered ? Number(answered.added) : 0;
}
