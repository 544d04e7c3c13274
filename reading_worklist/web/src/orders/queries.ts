import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { Order } from '../api/types';
import { bodyOf, changeOf, type OrderFields, type OrderTab, statesOf } from './filters';

export const PAGE_SIZE = 50;

export interface OrderFilters {
  tab: OrderTab;
  text: string;
  page: number;
}

export function useOrders({ tab, text, page }: OrderFilters) {
  const states = statesOf(tab);
  const query = {
    page,
    page_size: PAGE_SIZE,
    ...(text === '' ? {} : { q: text }),
    ...(states.length === 0 ? {} : { state: [...states] }),
  };
  return useQuery({
    queryKey: [...keys.orders, query],
    queryFn: () => answer(api.GET('/api/orders', { params: { query } })),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });
}

const SUGGESTIONS_STALE = 30_000;

/** The procedures to choose from. */
export function useProcedures() {
  return useQuery({
    queryKey: [...keys.orders, 'procedures'],
    queryFn: () => answer(api.GET('/api/orders/procedures')),
    staleTime: Infinity,
  });
}

/** Patients of the site whom a text may mean; nothing is asked for less than two characters. */
export function useSitePatients(text: string) {
  return useQuery({
    queryKey: [...keys.orders, 'patients', text],
    queryFn: () => answer(api.GET('/api/orders/patients', { params: { query: { q: text } } })),
    enabled: text.length > 1,
    staleTime: SUGGESTIONS_STALE,
    placeholderData: keepPreviousData,
  });
}

/** Exams that speak against another of the kind; asked as soon as patient and modality are known. */
export function useEarlierExams(patient: string, modality: string, bodyPart: string) {
  return useQuery({
    queryKey: [...keys.orders, 'earlier', patient, modality, bodyPart],
    queryFn: () =>
      answer(
        api.GET('/api/orders/earlier', {
          params: { query: { patient, modality, ...(bodyPart === '' ? {} : { body_part: bodyPart }) } },
        }),
      ),
    enabled: patient !== '' && modality !== '',
    staleTime: SUGGESTIONS_STALE,
  });
}

/** Places an order, changes it, checks its patient in, or cancels it; lists are renewed. */
export function useOrderActs() {
  const client = useQueryClient();
  const onSettled = () => client.invalidateQueries({ queryKey: keys.orders });
  const place = useMutation({
    mutationFn: (fields: OrderFields) => answer(api.POST('/api/orders', { body: bodyOf(fields) })),
    onSettled,
  });
  const amend = useMutation({
    mutationFn: ({ order, fields }: { order: Order; fields: OrderFields }) =>
      answer(
        api.PUT('/api/orders/{order_id}', {
          params: { path: { order_id: order.id } },
          body: changeOf(order, fields),
        }),
      ),
    onSettled,
  });
  const move = useMutation({
    mutationFn: ({ id, state, reason }: { id: string; state: 'CHECKED_IN' | 'CANCELLED'; reason?: string }) =>
      answer(
        api.PATCH('/api/orders/{order_id}', {
          params: { path: { order_id: id } },
          body: { state, ...(reason === undefined ? {} : { reason }) },
        }),
      ),
    onSettled,
  });
  return { place, amend, move };
}
