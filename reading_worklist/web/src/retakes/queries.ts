import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { Retake, RetakeReason, RetakeState } from '../api/types';
import type { CaseFilters } from '../design/CaseFilter';

export const PAGE_SIZE = 50;
const OPEN: readonly RetakeState[] = ['REQUESTED', 'ACKNOWLEDGED', 'RECEIVED'];
const WATCH_INTERVAL = 60_000;

export function useRetakes({ open, site, page }: CaseFilters) {
  const query = {
    page,
    page_size: PAGE_SIZE,
    ...(open ? { state: [...OPEN] } : {}),
    ...(site === null ? {} : { site }),
  };
  return useQuery({
    queryKey: [...keys.retakes, 'list', query],
    queryFn: () => answer(api.GET('/api/retakes', { params: { query } })),
    placeholderData: keepPreviousData,
    refetchInterval: WATCH_INTERVAL,
  });
}

/** The retakes of one study, and those that it came in the place of. */
export function useRetakesOf(workitem: string) {
  return useQuery({
    queryKey: [...keys.retakes, 'of', workitem],
    queryFn: () => answer(api.GET('/api/retakes', { params: { query: { workitem, page_size: PAGE_SIZE } } })),
  });
}

const path = (id: string) => ({ params: { path: { retake_id: id } } });

export function useRetake(id: string) {
  return useQuery({
    queryKey: keys.retake(id),
    queryFn: () => answer(api.GET('/api/retakes/{retake_id}', path(id))),
  });
}

export type RetakeAct =
  | { act: 'close' | 'cancel' }
  | { act: 'decline'; reason: string }
  | { act: 'book'; bookedFor: string }
  | { act: 'acknowledge'; body: { answer: string; booked_for: string | null; name?: string; role?: string } }
  | { act: 'call'; body: { name: string; phone: string; answered: boolean; note: string } };

function perform(id: string, request: RetakeAct): Promise<Retake> {
  switch (request.act) {
    case 'close':
      return answer(api.POST('/api/retakes/{retake_id}/close', path(id)));
    case 'cancel':
      return answer(api.POST('/api/retakes/{retake_id}/cancel', path(id)));
    case 'decline':
      return answer(api.POST('/api/retakes/{retake_id}/decline', { ...path(id), body: { reason: request.reason } }));
    case 'book':
      return answer(
        api.POST('/api/retakes/{retake_id}/book', { ...path(id), body: { booked_for: request.bookedFor } }),
      );
    case 'acknowledge':
      return answer(api.POST('/api/retakes/{retake_id}/acknowledge', { ...path(id), body: request.body }));
    case 'call':
      return answer(api.POST('/api/retakes/{retake_id}/calls', { ...path(id), body: request.body }));
  }
}

/** Does something with a retake; every list of them, the telephone list and the exams are renewed. */
export function useRetakeAct(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (request: RetakeAct) => perform(id, request),
    onSuccess: (retake) => {
      client.setQueryData(keys.retake(id), retake);
      for (const queryKey of [keys.retakes, keys.phone, keys.workitems, keys.portal]) {
        void client.invalidateQueries({ queryKey });
      }
    },
  });
}

export interface RetakeRequest {
  kind: 'RETAKE' | 'REJECTED_QUALITY';
  reason_code: RetakeReason;
  reason: string;
  called_name: string;
  called_phone: string;
}

/** Sends an exam back to its site. */
export function useRequestRetake(workitem: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: RetakeRequest) =>
      answer(api.POST('/api/workitems/{workitem_id}/retakes', { params: { path: { workitem_id: workitem } }, body })),
    onSuccess: () => {
      for (const queryKey of [keys.retakes, keys.workitems, keys.workitem(workitem), keys.phone]) {
        void client.invalidateQueries({ queryKey });
      }
    },
  });
}
