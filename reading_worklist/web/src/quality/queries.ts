import { useQuery } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';

const WAIT_FOR_CHECK = 5_000;

/** What was found about the volumes of an exam; asked again while they are being looked at. */
export function useQuality(id: string) {
  return useQuery({
    queryKey: keys.quality(id),
    queryFn: () => answer(api.GET('/api/workitems/{workitem_id}/quality', { params: { path: { workitem_id: id } } })),
    refetchInterval: (query) => (query.state.data?.state === 'pending' ? WAIT_FOR_CHECK : false),
  });
}
