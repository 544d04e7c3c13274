import { useQuery } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';

const WAIT_FOR_CHECK = 2_000;

/** How well the ECGs of an exam were recorded; asked again while they are being looked at. */
export function useEcgQuality(id: string) {
  return useQuery({
    queryKey: keys.ecgQuality(id),
    queryFn: () =>
      answer(api.GET('/api/workitems/{workitem_id}/ecg/quality', { params: { path: { workitem_id: id } } })),
    refetchInterval: (query) => (query.state.data?.state === 'pending' ? WAIT_FOR_CHECK : false),
  });
}
