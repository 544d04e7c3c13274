import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { RetentionRule } from '../api/types';

export type PurgeDecision = 'approve' | 'reject' | 'withdraw';

const WHILE_REMOVING = 5_000;

export function useUsage() {
  return useQuery({ queryKey: [...keys.keeping, 'usage'], queryFn: () => answer(api.GET('/api/keeping/usage')) });
}

export function useVerification() {
  return useQuery({
    queryKey: [...keys.keeping, 'verification'],
    queryFn: () => answer(api.GET('/api/keeping/verification')),
  });
}

export function useDue(page: number) {
  return useQuery({
    queryKey: [...keys.keeping, 'due', page],
    queryFn: () => answer(api.GET('/api/keeping/due', { params: { query: { page } } })),
    placeholderData: keepPreviousData,
  });
}

export function useRules() {
  return useQuery({ queryKey: [...keys.keeping, 'rules'], queryFn: () => answer(api.GET('/api/keeping/rules')) });
}

export function usePurges(page: number) {
  return useQuery({
    queryKey: [...keys.keeping, 'purges', page],
    queryFn: () => answer(api.GET('/api/keeping/purges', { params: { query: { page } } })),
    placeholderData: keepPreviousData,
    refetchInterval: (query) =>
      query.state.data?.items.some((purge) => purge.state === 'APPROVED' || purge.state === 'EXECUTING')
        ? WHILE_REMOVING
        : false,
  });
}

export function usePurge(id: string) {
  return useQuery({
    queryKey: [...keys.keeping, 'purge', id],
    queryFn: () => answer(api.GET('/api/keeping/purges/{purge_id}', { params: { path: { purge_id: id } } })),
  });
}

export function useHolds(page: number) {
  return useQuery({
    queryKey: [...keys.keeping, 'holds', page],
    queryFn: () => answer(api.GET('/api/keeping/holds', { params: { query: { page, active: false } } })),
    placeholderData: keepPreviousData,
  });
}

type Act =
  | { kind: 'propose'; studyIds: readonly string[]; text: string }
  | { kind: 'hold'; patientId: string; text: string }
  | { kind: 'rule'; siteId: string; visitKind: RetentionRule['visit_kind']; years: number }
  | { kind: 'release'; holdId: string; text: string }
  | { kind: PurgeDecision; purgeId: string; text: string };

function perform(act: Act): Promise<unknown> {
  switch (act.kind) {
    case 'propose':
      return answer(api.POST('/api/keeping/purges', { body: { study_ids: [...act.studyIds], reason: act.text } }));
    case 'hold':
      return answer(api.POST('/api/keeping/holds', { body: { patient_id: act.patientId, reason: act.text } }));
    case 'rule':
      return answer(
        api.PUT('/api/keeping/rules', { body: { site_id: act.siteId, visit_kind: act.visitKind, years: act.years } }),
      );
    case 'release':
      return answer(
        api.POST('/api/keeping/holds/{hold_id}/release', {
          params: { path: { hold_id: act.holdId } },
          body: { reason: act.text },
        }),
      );
    case 'approve':
    case 'reject':
    case 'withdraw':
      return answer(
        api.POST(`/api/keeping/purges/{purge_id}/${act.kind}`, {
          params: { path: { purge_id: act.purgeId } },
          body: { comment: act.text },
        }),
      );
  }
}

/** Does something about keeping; every list of the page is renewed, also after a refusal. */
export function useKeepingAct() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: perform,
    onSettled: () => client.invalidateQueries({ queryKey: keys.keeping }),
  });
}
