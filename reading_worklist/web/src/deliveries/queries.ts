import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { DeliveryState, QuarantineDetail } from '../api/types';

const LIST_INTERVAL = 30_000;

export interface DeliveryFilters {
  /** `open`: what has not arrived and may still; null is everything. */
  state: DeliveryState | 'open' | null;
  destination: string | null;
  page: number;
}

export function useDeliveries({ state, destination, page }: DeliveryFilters) {
  const query = {
    page,
    ...(state === 'open' ? { open: true } : {}),
    ...(state === null || state === 'open' ? {} : { state }),
    ...(destination === null ? {} : { destination }),
  };
  return useQuery({
    queryKey: [...keys.deliveries, 'list', query],
    queryFn: () => answer(api.GET('/api/deliveries', { params: { query } })),
    placeholderData: keepPreviousData,
    refetchInterval: LIST_INTERVAL,
  });
}

export function useDelivery(id: string) {
  return useQuery({
    queryKey: keys.delivery(id),
    queryFn: () => answer(api.GET('/api/deliveries/{delivery_id}', { params: { path: { delivery_id: id } } })),
    refetchInterval: LIST_INTERVAL,
  });
}

/** How the deliveries to each destination are doing. */
export function useQueues() {
  return useQuery({
    queryKey: [...keys.deliveries, 'queues'],
    queryFn: () => answer(api.GET('/api/delivery-queues')),
    refetchInterval: LIST_INTERVAL,
  });
}

export type DeliveryAct = 'pause' | 'resume' | 'replay';
export type QueueAct = 'pause' | 'resume' | 'probe';

/** What a person decides about one delivery or a whole destination; lists are renewed. */
export function useDeliveryActs() {
  const client = useQueryClient();
  const settled = {
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: keys.deliveries });
      await client.invalidateQueries({ queryKey: keys.ledger });
    },
  };
  const one = useMutation({
    mutationFn: ({ id, act, reason }: { id: string; act: DeliveryAct; reason: string }) =>
      answer(
        api.POST('/api/deliveries/{delivery_id}/{decision}', {
          params: { path: { delivery_id: id, decision: act } },
          body: { reason },
        }),
      ),
    ...settled,
  });
  const redirect = useMutation({
    mutationFn: ({ id, destination, reason }: { id: string; destination: string; reason: string }) =>
      answer(
        api.POST('/api/deliveries/{delivery_id}/redirect', {
          params: { path: { delivery_id: id } },
          body: { destination_id: destination, reason },
        }),
      ),
    ...settled,
  });
  const queue = useMutation({
    mutationFn: ({ id, act, reason }: { id: string; act: QueueAct; reason: string }) =>
      answer(
        api.POST('/api/delivery-queues/{destination_id}/{decision}', {
          params: { path: { destination_id: id, decision: act } },
          body: { reason },
        }),
      ),
    ...settled,
  });
  const replayQueue = useMutation({
    mutationFn: ({ id, reason, since }: { id: string; reason: string; since: string | null }) =>
      answer(
        api.POST('/api/delivery-queues/{destination_id}/replay', {
          params: { path: { destination_id: id } },
          body: { reason, since },
        }),
      ),
    ...settled,
  });
  const redirectQueue = useMutation({
    mutationFn: ({ id, destination, reason }: { id: string; destination: string; reason: string }) =>
      answer(
        api.POST('/api/delivery-queues/{destination_id}/redirect', {
          params: { path: { destination_id: id } },
          body: { destination_id: destination, reason },
        }),
      ),
    ...settled,
  });
  return { one, redirect, queue, replayQueue, redirectQueue };
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
