import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { WorkitemDetail } from '../api/types';
import type { Language } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import { examQuery } from './opening';

const path = (id: string) => ({ params: { path: { workitem_id: id } } });

export function useWorkitem(id: string) {
  const { language } = useLanguage();
  return useQuery({ ...examQuery(useQueryClient(), id, language), refetchInterval: 60_000 });
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
  | { act: 'claim' | 'release' | 'review' | 'abandon' | 'confirmRevocation' | 'declineRevocation' | 'reopen' }
  | { act: 'return'; comment: string }
  | { act: 'amend'; reason: string; kind: 'change' | 'addendum' }
  | { act: 'proposeRevocation'; reason: string }
  | { act: 'submit' | 'preliminary' | 'alone'; revision: number; pin: string; language: Language; reasons: Reasons }
  | { act: 'finalise'; pin: string; reasons: Reasons };

/** Why somebody signs over a warning of the checks, by the key of the finding. */
export type Reasons = Readonly<Record<string, string>>;

const SIGNED_AT = { submit: 'submit', preliminary: 'preliminary', alone: 'issue-alone' } as const;

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
    case 'preliminary':
    case 'alone':
      return answer(
        api.POST(`/api/workitems/{workitem_id}/${SIGNED_AT[request.act]}`, {
          ...path(id),
          body: {
            revision: request.revision,
            signing_pin: request.pin,
            language: request.language,
            reasons: request.reasons,
          },
        }),
      );
    case 'finalise':
      return answer(
        api.POST('/api/workitems/{workitem_id}/finalise', {
          ...path(id),
          body: { signing_pin: request.pin, reasons: request.reasons },
        }),
      );
    case 'amend':
      return answer(
        api.POST('/api/workitems/{workitem_id}/amend', {
          ...path(id),
          body: { reason: request.reason, kind: request.kind },
        }),
      );
    case 'abandon':
      return answer(api.POST('/api/workitems/{workitem_id}/amend/abandon', path(id)));
    case 'proposeRevocation':
      return answer(
        api.POST('/api/workitems/{workitem_id}/revocation', { ...path(id), body: { reason: request.reason } }),
      );
    case 'confirmRevocation':
      return answer(api.POST('/api/workitems/{workitem_id}/revocation/confirm', path(id)));
    case 'declineRevocation':
      return answer(api.POST('/api/workitems/{workitem_id}/revocation/decline', path(id)));
    case 'reopen':
      return answer(api.POST('/api/workitems/{workitem_id}/reopen', path(id)));
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
