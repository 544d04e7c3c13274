import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import type { components } from '../api/schema';

type Schemas = components['schemas'];
export type EcgFile = Schemas['EcgFileView'];
export type EcgFileState = Schemas['EcgFileState'];
export type Whose = Schemas['WhoseBody'];

export const PAGE_SIZE = 50;
const LIST = ['ecg-files'] as const;
const LIST_INTERVAL = 30_000;
/** While a file is being looked at, no event tells when that is done. */
const LOOKING_INTERVAL = 1_000;
const OPEN = ['REQUESTED', 'CHECKED_IN'] as const;

export function useEcgFiles(states: readonly EcgFileState[], page: number) {
  const query = { page, page_size: PAGE_SIZE, ...(states.length === 0 ? {} : { state: [...states] }) };
  return useQuery({
    queryKey: [...LIST, query],
    queryFn: () => answer(api.GET('/api/ecg-files', { params: { query } })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.items.some((file) => file.state === 'RECEIVED') === true ? LOOKING_INTERVAL : LIST_INTERVAL,
  });
}

/** Orders of ECGs that are still to be done, for whoever says whose a file is. */
export function useOpenOrders() {
  const query = { state: [...OPEN], modality: 'ECG', page_size: 200 };
  return useQuery({
    queryKey: ['orders', 'ecg', query],
    queryFn: () => answer(api.GET('/api/orders', { params: { query } })),
  });
}

/** Sends one file, whose bytes are the body; the answer says what became of it. */
export function useSend() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ file, orderId }: { file: File; orderId: string | null }) =>
      answer(
        api.POST('/api/ecg-files', {
          params: { query: { name: file.name, ...(orderId === null ? {} : { order_id: orderId }) } },
          headers: { 'Content-Type': 'application/octet-stream' },
          body: file as never,
          bodySerializer: () => file,
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: LIST }),
  });
}

export function useChoose() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, whose }: { id: string; whose: Whose }) =>
      answer(api.POST('/api/ecg-files/{file_id}/patient', { params: { path: { file_id: id } }, body: whose })),
    onSettled: () => client.invalidateQueries({ queryKey: LIST }),
  });
}
