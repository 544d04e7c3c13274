import { keepPreviousData, useQuery } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { DeliveryState } from '../api/types';

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
