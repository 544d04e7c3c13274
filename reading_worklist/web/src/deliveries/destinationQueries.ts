import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { Destination } from '../api/types';

const TRIAL_MS = 1000;

export function useDestinations() {
  return useQuery({
    queryKey: keys.destinations,
    queryFn: () => answer(api.GET('/api/destinations')),
    // A machine that delivers is at it; nothing tells of it but the list.
    refetchInterval: ({ state }) => (state.data?.some((one) => one.trial?.is_running) === true ? TRIAL_MS : false),
  });
}

export type SettingValue = string | number | boolean | string[] | null;

export interface DestinationInput {
  id: string | null;
  siteCode: string;
  kind: Destination['kind'];
  name: string;
  notifyAvailability: boolean;
  settings: Record<string, SettingValue>;
}

/** Adds a destination, or changes one; the list is renewed. */
export function useKeepDestination() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, siteCode, kind, name, notifyAvailability, settings }: DestinationInput) => {
      const body = { name, settings, notify_availability: notifyAvailability };
      return id === null
        ? answer(api.POST('/api/destinations', { body: { ...body, site_code: siteCode, kind } }))
        : answer(api.PUT('/api/destinations/{destination_id}', { params: { path: { destination_id: id } }, body }));
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.destinations }),
  });
}

/** Has a destination tried; what was found is in the list a moment later. */
export function useTryDestination() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      answer(api.POST('/api/destinations/{destination_id}/trial', { params: { path: { destination_id: id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: keys.destinations }),
  });
}

export function useSwitchDestination() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, active, reason }: { id: string; active: boolean; reason: string }) =>
      answer(
        api.POST('/api/destinations/{destination_id}/active', {
          params: { path: { destination_id: id } },
          body: { active, reason },
        }),
      ),
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: keys.destinations });
      await client.invalidateQueries({ queryKey: keys.deliveries });
    },
  });
}
