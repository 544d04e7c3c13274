import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import { useCallback, useEffect, useMemo } from 'react';
import { useLocation, useNavigate } from 'react-router';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import { Problem } from '../api/problem';
import type { WorkitemDetail } from '../api/types';
import { useSetback } from '../design/useRefusal';
import { useLanguage } from '../i18n/language';
import { useSession } from '../session/session';
import { prepareExam } from './opening';

/** From which list an exam was opened, and what stood in it then. */
interface Origin {
  from: string;
  ids: readonly string[];
}

const REVIEWS_LOOKED_AT = 50;

/** The list that the doctor came from. It goes along from one exam to the next. */
export function useOrigin(): Origin {
  const { state } = useLocation() as { state: unknown };
  return useMemo(() => {
    const given = typeof state === 'object' && state !== null ? state : {};
    const from = 'from' in given && typeof given.from === 'string' ? given.from : '/worklist';
    const ids =
      'ids' in given && Array.isArray(given.ids)
        ? given.ids.filter((one): one is string => typeof one === 'string')
        : [];
    return { from, ids };
  }, [state]);
}

export interface Neighbours {
  previous: (() => void) | null;
  next: (() => void) | null;
  /** Where the exam stands in its list, from 1; null when it was not opened from one. */
  place: { at: number; of: number } | null;
}

/** The exams before and after this one in the list it was opened from. */
export function useNeighbours(id: string): Neighbours {
  const navigate = useNavigate();
  const origin = useOrigin();
  const at = origin.ids.indexOf(id);
  const following = origin.ids[at + 1];
  const client = useQueryClient();
  const { language } = useLanguage();
  useEffect(() => {
    if (at < 0 || following === undefined) return undefined;
    // After what this exam itself needs.
    const timer = window.setTimeout(() => prepareExam(client, following, language), 2_000);
    return () => window.clearTimeout(timer);
  }, [at, following, client, language]);
  const go = (to: string | undefined): (() => void) | null =>
    to === undefined ? null : () => void navigate(`/exams/${to}`, { state: origin });
  return {
    previous: at > 0 ? go(origin.ids[at - 1]) : null,
    next: at >= 0 ? go(origin.ids[at + 1]) : null,
    place: at < 0 ? null : { at: at + 1, of: origin.ids.length },
  };
}

/** Claims what is most urgent for a writer; null when nothing waits for him. */
async function claimNext(lane: WorkitemDetail['lane']): Promise<WorkitemDetail | null> {
  try {
    return await answer(api.POST('/api/workitems/next', { params: { query: { lane } } }));
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

/** Takes the most urgent report that waits for this reviewer; null when none does. */
async function reviewNext(lane: WorkitemDetail['lane']): Promise<WorkitemDetail | null> {
  const query = { lane, state: ['WRITTEN' as const], page_size: REVIEWS_LOOKED_AT, sort: 'urgency' as const };
  const waiting = await answer(api.GET('/api/workitems', { params: { query } }));
  for (const one of waiting.items.filter((line) => line.actions.includes('review'))) {
    try {
      return await answer(
        api.POST('/api/workitems/{workitem_id}/review', { params: { path: { workitem_id: one.id } } }),
      );
    } catch (error) {
      // Another reviewer was faster: the one after it.
      if (!(error instanceof Problem) || error.status !== 409) throw error;
    }
  }
  return null;
}

/** Takes the next exam in one step: what this person does most comes first, and of that the most urgent. */
export function useTakeNext(item: WorkitemDetail): { take: () => void; isPending: boolean } {
  const { t } = useLanguage();
  const { message, modal } = App.useApp();
  const setBack = useSetback();
  const client = useQueryClient();
  const navigate = useNavigate();
  const origin = useOrigin();
  const { data: session } = useSession();
  const roles = session?.roles ?? [];
  const { mutate, isPending } = useMutation({
    mutationFn: async (): Promise<WorkitemDetail | null> => {
      const steps = [
        ...(roles.includes('writer') || roles.includes('reviewer') ? [claimNext] : []),
        ...(roles.includes('reviewer') ? [reviewNext] : []),
      ];
      // A reviewer's own work is what others have written.
      if (roles.includes('reviewer')) steps.reverse();
      for (const step of steps) {
        const found = await step(item.lane);
        if (found !== null) return found;
      }
      return null;
    },
    onSuccess: (found) => {
      void client.invalidateQueries({ queryKey: keys.workitems });
      if (found === null) {
        void message.info(t('next.none'));
        return;
      }
      client.setQueryData(keys.workitem(found.id), found);
      void navigate(`/exams/${found.id}`, { state: origin });
    },
    onError: setBack,
  });
  const mine = item.claimed_by !== null && item.claimed_by.id === session?.person.id;
  const take = useCallback(() => {
    if (isPending) return;
    if (!mine) {
      mutate();
      return;
    }
    modal.confirm({
      title: t('next.unfinished'),
      content: t('next.unfinishedText'),
      okText: t('next.take'),
      cancelText: t('app.cancel'),
      onOk: () => mutate(),
    });
  }, [isPending, mine, modal, mutate, t]);
  return { take, isPending };
}
