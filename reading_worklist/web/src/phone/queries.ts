import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { CriticalClocks, CriticalContact } from '../api/types';

const WATCH_INTERVAL = 30_000;

/** Whom to ring now, the most pressing first. */
export function usePhoneList(enabled = true) {
  return useQuery({
    queryKey: keys.phone,
    queryFn: () => answer(api.GET('/api/phone-list')),
    enabled,
    refetchInterval: WATCH_INTERVAL,
  });
}

const site = (id: string) => ({ params: { path: { site_id: id } } });

export function useContacts(siteId: string | null) {
  return useQuery({
    queryKey: [...keys.contacts, siteId],
    queryFn: () => answer(api.GET('/api/critical-values/contacts/{site_id}', site(siteId ?? ''))),
    enabled: siteId !== null,
  });
}

/** Somebody as the server takes him. */
export interface ListedContact extends CriticalContact {
  step: 0 | 1 | 2 | 3;
}

export function useSetContacts(siteId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (contacts: ListedContact[]) =>
      answer(api.PUT('/api/critical-values/contacts/{site_id}', { ...site(siteId), body: { contacts } })),
    onSuccess: (kept) => {
      client.setQueryData([...keys.contacts, siteId], kept);
      void client.invalidateQueries({ queryKey: keys.critical });
      void client.invalidateQueries({ queryKey: keys.phone });
    },
  });
}

export function useClocks() {
  return useQuery({
    queryKey: keys.criticalClocks,
    queryFn: () => answer(api.GET('/api/critical-values/clocks')),
  });
}

export function useSetClocks() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (clocks: CriticalClocks) => answer(api.PUT('/api/critical-values/clocks', { body: clocks })),
    onSuccess: (kept) => {
      client.setQueryData(keys.criticalClocks, kept);
      void client.invalidateQueries({ queryKey: keys.critical });
    },
  });
}
