import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { Assignments, Lane, WorkitemDetail, WorklistLine } from '../api/types';
import { useSetback } from '../design/useRefusal';
import { useLanguage } from '../i18n/language';

/** The action that takes a workitem from the list: claim it for writing, take it for review, or none. */
export function takingAction(item: WorklistLine): 'claim' | 'review' | null {
  if (item.actions.includes('claim') && item.state !== 'CLAIMED') return 'claim';
  return item.actions.includes('review') && (item.state === 'WRITTEN' || item.state === 'PRELIM_ISSUED')
    ? 'review'
    : null;
}

/** Renews the list after an act, whether it went well or somebody was faster; a refusal is said in words. */
function useAct<Variables, Result>(act: (variables: Variables) => Promise<Result>, done: (result: Result) => void) {
  const client = useQueryClient();
  const setBack = useSetback();
  return useMutation({
    mutationFn: act,
    onSuccess: done,
    onError: setBack,
    onSettled: () => client.invalidateQueries({ queryKey: keys.workitems }),
  });
}

/** Takes a workitem for its next step. */
export function useClaim() {
  const client = useQueryClient();
  const { message } = App.useApp();
  const { t } = useLanguage();
  return useAct(
    async (item: WorklistLine): Promise<WorkitemDetail | null> => {
      const action = takingAction(item);
      if (action === null) return null;
      const params = { path: { workitem_id: item.id } };
      return action === 'claim'
        ? await answer(api.POST('/api/workitems/{workitem_id}/claim', { params }))
        : await answer(api.POST('/api/workitems/{workitem_id}/review', { params }));
    },
    (detail) => {
      if (detail === null) void message.info(t('worklist.claimNotPossible'));
      else client.setQueryData(keys.workitem(detail.id), detail);
    },
  );
}

/** Gives a workitem back to the queue. */
export function useRelease() {
  const client = useQueryClient();
  const { message } = App.useApp();
  const { t } = useLanguage();
  return useAct(
    async (item: WorklistLine): Promise<WorkitemDetail | null> => {
      if (!item.actions.includes('release')) return null;
      const params = { path: { workitem_id: item.id } };
      return await answer(api.POST('/api/workitems/{workitem_id}/release', { params }));
    },
    (detail) => {
      if (detail === null) {
        void message.info(t('worklist.releaseNotPossible'));
        return;
      }
      client.setQueryData(keys.workitem(detail.id), detail);
      void message.success(t('worklist.released', { patient: detail.patient.name }));
    },
  );
}

/** Claims the most urgent workitem that is for whoever asks, in one lane or in both. */
export function useNext() {
  const client = useQueryClient();
  return useAct(
    (lane: Lane | null) =>
      answer(api.POST('/api/workitems/next', { params: { query: lane === null ? {} : { lane } } })),
    (detail) => client.setQueryData(keys.workitem(detail.id), detail),
  );
}

export interface Assignment {
  ids: readonly string[];
  /** null takes back what was given. */
  personId: string | null;
}

/** Gives workitems to somebody; what could not be given is said. */
export function useAssign(done: (answered: Assignments) => void) {
  const client = useQueryClient();
  return useAct(
    ({ ids, personId }: Assignment) =>
      answer(api.POST('/api/workitems/assign', { body: { workitem_ids: [...ids], person_id: personId } })),
    (answered) => {
      void client.invalidateQueries({ queryKey: keys.readers });
      done(answered);
    },
  );
}
