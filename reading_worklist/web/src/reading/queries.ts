import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { WorkitemDetail } from '../api/types';
import type { Language } from '../i18n/catalogue';

const path = (id: string) => ({ params: { path: { workitem_id: id } } });

export function useWorkitem(id: string) {
  return useQuery({
    queryKey: keys.workitem(id),
    queryFn: () => answer(api.GET('/api/workitems/{workitem_id}', path(id))),
    refetchInterval: 60_000,
  });
}

export function useTimeline(id: string) {
  return useQuery({
    queryKey: keys.timeline(id),
    queryFn: () => answer(api.GET('/api/workitems/{workitem_id}/timeline', path(id))),
  });
}

/** Whether it is doubted, or was corrected, whose study this is. */
export function useIdentityNotice(id: string) {
  return useQuery({
    queryKey: keys.identityNotice(id),
    queryFn: () => answer(api.GET('/api/workitems/{workitem_id}/identity', path(id))),
  });
}

/** Sends the study to the identity desk; until it is decided there nobody writes about it. */
export function useDoubt(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (reason: string) => answer(api.POST('/api/identity/cases', { body: { workitem_id: id, reason } })),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: keys.workitem(id) });
      void client.invalidateQueries({ queryKey: keys.workitems });
      void client.invalidateQueries({ queryKey: keys.identity });
    },
  });
}

export type WorkitemAct =
  | { act: 'claim' | 'release' | 'review' }
  | { act: 'return'; comment: string }
  | { act: 'submit'; revision: number; pin: string; language: Language }
  | { act: 'finalise'; pin: string };

function perform(id: string, request: WorkitemAct): Promise<WorkitemDetail> {
  switch (request.act) {
    case 'claim':
      return answer(api.POST('/api/workitems/{workitem_id}/claim', path(id)));
    case 'release':
      return answer(api.POST('/api/workitems/{workitem_id}/release', path(id)));
    case 'review':
      return answer(api.POST('/api/workitems/{workitem_id}/review', path(id)));
    case 'return':
      return answer(
        api.POST('/api/workitems/{workitem_id}/return', { ...path(id), body: { comment: request.comment } }),
      );
    case 'submit':
      return answer(
        api.POST('/api/workitems/{workitem_id}/submit', {
          ...path(id),
          body: { revision: request.revision, signing_pin: request.pin, language: request.language },
        }),
      );
    case 'finalise':
      return answer(
        api.POST('/api/workitems/{workitem_id}/finalise', { ...path(id), body: { signing_pin: request.pin } }),
      );
  }
}

/** Does something with a workitem; every page that shows it is renewed, also after a refusal. */
export function useWorkitemAct(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (request: WorkitemAct) => perform(id, request),
    onSuccess: (detail) => {
      client.setQueryData(keys.workitem(id), detail);
      void client.invalidateQueries({ queryKey: keys.workitems });
      void client.invalidateQueries({ queryKey: keys.timeline(id) });
    },
    onError: () => client.invalidateQueries({ queryKey: keys.workitem(id), exact: true }),
  });
}
