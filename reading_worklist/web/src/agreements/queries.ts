import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import type { components } from '../api/schema';

type Schemas = components['schemas'];

export type Agreement = Schemas['AgreementView'];
export type AgreementBody = Schemas['AgreementBody'];
export type Party = Schemas['PartyView'];
export type Mark = Schemas['MarkView'];
export type MarkBody = Schemas['MarkBody'];
export type MarkEndBody = Schemas['MarkEndBody'];
export type SiteBranches = Schemas['SiteBranches'];
export type Branch = Schemas['BranchView'];
export type SinglePeriod = Schemas['SingleSignatureView'];
export type SingleBody = Schemas['SingleSignatureBody'];

const AGREEMENTS = ['agreements'] as const;

export function useAgreements() {
  return useQuery({ queryKey: [...AGREEMENTS, 'list'], queryFn: () => answer(api.GET('/api/agreements')) });
}

export function useParties() {
  return useQuery({ queryKey: [...AGREEMENTS, 'parties'], queryFn: () => answer(api.GET('/api/agreements/parties')) });
}

export function useSinglePeriods() {
  return useQuery({ queryKey: [...AGREEMENTS, 'single'], queryFn: () => answer(api.GET('/api/single-signatures')) });
}

export function useMarks() {
  return useQuery({ queryKey: [...AGREEMENTS, 'marks'], queryFn: () => answer(api.GET('/api/recognition-marks')) });
}

export function useBranches() {
  return useQuery({ queryKey: [...AGREEMENTS, 'branches'], queryFn: () => answer(api.GET('/api/branches')) });
}

type Act =
  | { kind: 'make'; body: AgreementBody }
  | { kind: 'end'; id: string }
  | { kind: 'mark'; body: MarkBody }
  | { kind: 'mark-end'; id: string; body: MarkEndBody }
  | { kind: 'branch'; body: Schemas['BranchBody'] }
  | { kind: 'branch-change'; body: Schemas['BranchChange'] }
  | { kind: 'branch-close'; body: Schemas['BranchEnd'] }
  | { kind: 'single-on'; body: SingleBody }
  | { kind: 'single-off'; id: string };

function perform(act: Act): Promise<unknown> {
  switch (act.kind) {
    case 'make':
      return answer(api.POST('/api/agreements', { body: act.body }));
    case 'end':
      return answer(api.POST('/api/agreements/{agreement_id}/end', { params: { path: { agreement_id: act.id } } }));
    case 'mark':
      return answer(api.POST('/api/recognition-marks', { body: act.body }));
    case 'mark-end':
      return answer(
        api.POST('/api/recognition-marks/{mark_id}/end', { params: { path: { mark_id: act.id } }, body: act.body }),
      );
    case 'branch':
      return answer(api.POST('/api/branches', { body: act.body }));
    case 'branch-change':
      return answer(api.POST('/api/branches/change', { body: act.body }));
    case 'branch-close':
      return answer(api.POST('/api/branches/close', { body: act.body }));
    case 'single-on':
      return answer(api.POST('/api/single-signatures', { body: act.body }));
    case 'single-off':
      return answer(api.POST('/api/single-signatures/{period_id}/end', { params: { path: { period_id: act.id } } }));
  }
}

/** Makes or ends something; the lists are asked again, also after a refusal. */
export function useAgreementAct() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: perform,
    onSettled: () => client.invalidateQueries({ queryKey: AGREEMENTS }),
  });
}
