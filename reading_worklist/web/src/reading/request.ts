import { useQuery } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';

/** The order that the images of an exam answer; null where nobody asked in writing. */
export function useRequest(id: string) {
  return useQuery({
    queryKey: keys.request(id),
    queryFn: () => answer(api.GET('/api/workitems/{workitem_id}/request', { params: { path: { workitem_id: id } } })),
  });
}
