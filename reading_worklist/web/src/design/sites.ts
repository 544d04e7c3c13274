import { useQuery } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';

/** The sites that somebody of the centre sees; nothing is asked for others. */
export function useSites(enabled: boolean) {
  return useQuery({
    queryKey: keys.sites,
    queryFn: () => answer(api.GET('/api/sites')),
    enabled,
    staleTime: 300_000,
  });
}
