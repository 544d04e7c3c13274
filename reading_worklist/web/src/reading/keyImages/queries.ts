import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../../api/client';
import { keys } from '../../api/keys';
import type { KeyImage } from '../../api/types';
import type { ShownImage } from './shownImage';

const path = (id: string) => ({ params: { path: { workitem_id: id } } });

/** The images chosen for the report, in their order. */
export function useKeyImages(id: string) {
  return useQuery({
    queryKey: keys.keyImages(id),
    queryFn: () => answer(api.GET('/api/workitems/{workitem_id}/key-images', path(id))),
  });
}

export type KeyImageChange =
  { do: 'add'; image: ShownImage } | { do: 'remove'; id: string } | { do: 'order'; ids: string[] };

function perform(id: string, change: KeyImageChange): Promise<KeyImage[]> {
  switch (change.do) {
    case 'add':
      return answer(api.POST('/api/workitems/{workitem_id}/key-images', { ...path(id), body: change.image }));
    case 'remove':
      return answer(
        api.DELETE('/api/workitems/{workitem_id}/key-images/{key_image_id}', {
          params: { path: { workitem_id: id, key_image_id: change.id } },
        }),
      );
    case 'order':
      return answer(
        api.PUT('/api/workitems/{workitem_id}/key-images/order', { ...path(id), body: { ids: change.ids } }),
      );
  }
}

export function useKeyImageChange(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: KeyImageChange) => perform(id, change),
    onSuccess: (images) => client.setQueryData(keys.keyImages(id), images),
    onError: () => client.invalidateQueries({ queryKey: keys.keyImages(id) }),
  });
}

/** What was measured in the viewer and stored with the exam. */
export function useMeasurements(id: string) {
  return useQuery({
    queryKey: keys.measurements(id),
    queryFn: () => answer(api.GET('/api/workitems/{workitem_id}/measurements', path(id))),
  });
}
