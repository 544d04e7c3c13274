import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { DeliveryState, QuarantineDetail } from '../api/types';

export function useDeliveries(state: DeliveryState | null, page: number) {
  const query = { page, ...(state === null ? {} : { state }) };
  return useQuery({
    queryKey: [...keys.deliveries, 'list', query],
    queryFn: () => answer(api.GET('/api/deliveries', { params: { query } })),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });
}

export function useDelivery(id: string) {
  return useQuery({
    queryKey: keys.delivery(id),
    queryFn: () => answer(api.GET('/api/deliveries/{delivery_id}', { params: { path: { delivery_id: id } } })),
  });
}

export function useQuarantine(page: number) {
  const query = { page };
  return useQuery({
    queryKey: [...keys.quarantine, query],
    queryFn: () => answer(api.GET('/api/quarantine', { params: { query } })),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });
}

export function useQuarantined(id: string) {
  return useQuery({
    queryKey: keys.quarantined(id),
    queryFn: () => answer(api.GET('/api/quarantine/{entry_id}', { params: { path: { entry_id: id } } })),
  });
}

export type QuarantineAction = QuarantineDetail['actions'][number];

/** Decides what becomes of a quarantined object; the list and the entry are renewed. */
export function useQuarantineAct(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ action, reason }: { action: QuarantineAction; reason: string }) =>
      answer(
        api.POST('/api/quarantine/{entry_id}/{action}', {
          params: { path: { entry_id: id, action } },
          body: { reason },
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: keys.quarantine }),
  });
}
