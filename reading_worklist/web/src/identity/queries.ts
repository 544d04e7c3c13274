import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { CaseDetail, NewPatient } from '../api/types';

export type CaseState = 'OPEN' | 'DECIDED';

const path = (id: string) => ({ params: { path: { case_id: id } } });

export function useCases(state: CaseState, page: number) {
  return useQuery({
    queryKey: [...keys.identity, 'list', state, page],
    queryFn: () => answer(api.GET('/api/identity/cases', { params: { query: { state, page } } })),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });
}

export function useCase(id: string) {
  return useQuery({
    queryKey: keys.identityCase(id),
    queryFn: () => answer(api.GET('/api/identity/cases/{case_id}', path(id))),
  });
}

export function useCandidates(id: string, text: string) {
  const query = text === '' ? {} : { q: text };
  return useQuery({
    queryKey: [...keys.identityCase(id), 'candidates', text],
    queryFn: () =>
      answer(api.GET('/api/identity/cases/{case_id}/candidates', { params: { path: { case_id: id }, query } })),
    placeholderData: keepPreviousData,
  });
}

export type Decision =
  | { kind: 'keep' | 'reject' | 'undo' }
  | { kind: 'link'; orderId: string }
  | { kind: 'correct'; patientId: string }
  | { kind: 'correct'; newPatient: NewPatient };

function perform(id: string, decision: Decision, reason: string): Promise<CaseDetail> {
  switch (decision.kind) {
    case 'keep':
      return answer(api.POST('/api/identity/cases/{case_id}/keep', { ...path(id), body: { reason } }));
    case 'reject':
      return answer(api.POST('/api/identity/cases/{case_id}/reject', { ...path(id), body: { reason } }));
    case 'undo':
      return answer(api.POST('/api/identity/cases/{case_id}/undo', { ...path(id), body: { reason } }));
    case 'link':
      return answer(
        api.POST('/api/identity/cases/{case_id}/link', { ...path(id), body: { reason, order_id: decision.orderId } }),
      );
    case 'correct': {
      const whom = 'patientId' in decision ? { patient_id: decision.patientId } : { new_patient: decision.newPatient };
      return answer(api.POST('/api/identity/cases/{case_id}/correct', { ...path(id), body: { reason, ...whom } }));
    }
  }
}

/** Decides a case, or takes a decision back; lists and the case are renewed. */
export function useDecision(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ decision, reason }: { decision: Decision; reason: string }) => perform(id, decision, reason),
    onSuccess: (detail) => {
      client.setQueryData(keys.identityCase(id), detail);
      void client.invalidateQueries({ queryKey: keys.identity });
      void client.invalidateQueries({ queryKey: keys.workitems });
    },
  });
}
