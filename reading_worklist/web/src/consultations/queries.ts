import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { Consultation, ConsultationState } from '../api/types';

export const PAGE_SIZE = 50;
const OPEN: readonly ConsultationState[] = ['APPLIED', 'ACCEPTED', 'SCHEDULED', 'OPINION_SIGNED'];
const WATCH_INTERVAL = 60_000;

export function useConsultations(open: boolean, page: number) {
  const query = { page, page_size: PAGE_SIZE, ...(open ? { state: [...OPEN] } : {}) };
  return useQuery({
    queryKey: [...keys.consultations, 'list', query],
    queryFn: () => answer(api.GET('/api/consultations', { params: { query } })),
    placeholderData: keepPreviousData,
    refetchInterval: WATCH_INTERVAL,
  });
}

/** The consultations about one study. */
export function useConsultationsOf(workitem: string) {
  return useQuery({
    queryKey: [...keys.consultations, 'of', workitem],
    queryFn: () => answer(api.GET('/api/consultations', { params: { query: { workitem, page_size: PAGE_SIZE } } })),
  });
}

const path = (id: string) => ({ params: { path: { consultation_id: id } } });

export function useConsultation(id: string) {
  return useQuery({
    queryKey: keys.consultation(id),
    queryFn: () => answer(api.GET('/api/consultations/{consultation_id}', path(id))),
  });
}

export function useExperts(enabled: boolean) {
  return useQuery({
    queryKey: keys.experts,
    queryFn: () => answer(api.GET('/api/experts')),
    enabled,
    staleTime: WATCH_INTERVAL,
  });
}

export interface Licence {
  title: string;
  specialty: string;
  licence_number: string;
  practising_since: string;
}

export function useSetLicence(personId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (licence: Licence) =>
      answer(api.PUT('/api/experts/{person_id}', { params: { path: { person_id: personId } }, body: licence })),
    onSuccess: (experts) => client.setQueryData(keys.experts, experts),
  });
}

export type ConsultationAct =
  | { act: 'accept' | 'archive' }
  | { act: 'decline'; reason: string }
  | { act: 'schedule'; at: string }
  | { act: 'opinion'; opinion: string; pin: string }
  | { act: 'rate'; rating: number; comment: string };

function perform(id: string, request: ConsultationAct): Promise<Consultation> {
  switch (request.act) {
    case 'accept':
      return answer(api.POST('/api/consultations/{consultation_id}/accept', path(id)));
    case 'archive':
      return answer(api.POST('/api/consultations/{consultation_id}/archive', path(id)));
    case 'decline':
      return answer(
        api.POST('/api/consultations/{consultation_id}/decline', { ...path(id), body: { reason: request.reason } }),
      );
    case 'schedule':
      return answer(
        api.POST('/api/consultations/{consultation_id}/schedule', {
          ...path(id),
          body: { scheduled_for: request.at },
        }),
      );
    case 'opinion':
      return answer(
        api.POST('/api/consultations/{consultation_id}/opinion', {
          ...path(id),
          body: { opinion: request.opinion, signing_pin: request.pin },
        }),
      );
    case 'rate':
      return answer(
        api.POST('/api/consultations/{consultation_id}/rate', {
          ...path(id),
          body: { rating: request.rating, comment: request.comment },
        }),
      );
  }
}

/** Keeps an opinion that is being written. */
export function saveOpinion(id: string, opinion: { text: string; revision: number }) {
  return answer(api.PUT('/api/consultations/{consultation_id}/opinion/draft', { ...path(id), body: opinion }));
}

export function useConsultationAct(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (request: ConsultationAct) => perform(id, request),
    onSuccess: (consultation) => {
      client.setQueryData(keys.consultation(id), consultation);
      void client.invalidateQueries({ queryKey: keys.consultations });
    },
  });
}

export interface Application {
  invitee_id: string;
  urgency: 'urgent' | 'routine';
  reason: string;
  purpose: string;
  summary: string;
  specialty: string;
  consent_basis: 'consent' | 'emergency';
  consent_note: string;
}

export function useApply(workitem: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Application) =>
      answer(
        api.POST('/api/workitems/{workitem_id}/consultations', {
          params: { path: { workitem_id: workitem } },
          body,
        }),
      ),
    onSuccess: () => void client.invalidateQueries({ queryKey: keys.consultations }),
  });
}
