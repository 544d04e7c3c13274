import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import { asProblem } from '../api/problem';
import type { Workitem } from '../api/types';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';

/** The action that takes a workitem from the list: claim it for writing, take it for review, or none. */
export function takingAction(item: Workitem): 'claim' | 'review' | null {
  if (item.actions.includes('claim') && item.state !== 'CLAIMED') return 'claim';
  return item.actions.includes('review') && item.state === 'WRITTEN' ? 'review' : null;
}

/** Takes a workitem for its next step. Says so when another doctor was faster. */
export function useClaim() {
  const client = useQueryClient();
  const { message } = App.useApp();
  const { t, language } = useLanguage();
  return useMutation({
    mutationFn: async (item: Workitem) => {
      const action = takingAction(item);
      if (action === null) return null;
      const params = { path: { workitem_id: item.id } };
      return action === 'claim'
        ? await answer(api.POST('/api/workitems/{workitem_id}/claim', { params }))
        : await answer(api.POST('/api/workitems/{workitem_id}/review', { params }));
    },
    onSuccess: (detail, item) => {
      if (detail === null) {
        void message.info(t('worklist.claimNotPossible'));
        return;
      }
      client.setQueryData(keys.workitem(item.id), detail);
      void client.invalidateQueries({ queryKey: keys.workitems });
    },
    onError: (error) => {
      const words = wordsOf(language, asProblem(error));
      void message.warning([words.title, words.remedy].filter((part) => part !== null).join(' '));
      void client.invalidateQueries({ queryKey: keys.workitems });
    },
  });
}
