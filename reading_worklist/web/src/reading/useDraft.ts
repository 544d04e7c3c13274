import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, useSyncExternalStore } from 'react';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { Draft, WorkitemDetail } from '../api/types';
import { DraftSaver, type DraftSnapshot } from './draftSaver';

const EMPTY = { findings: '', impression: '', advice: '' } as const;

/** The draft of a claimed workitem, kept saved while it is typed. */
export function useDraft(id: string, draft: Draft | null): { saver: DraftSaver; snapshot: DraftSnapshot } {
  const client = useQueryClient();
  const [saver] = useState(
    () =>
      new DraftSaver(
        async (text, revision) => {
          const saved = await answer(
            api.PUT('/api/workitems/{workitem_id}/draft', {
              params: { path: { workitem_id: id } },
              body: { ...text, revision },
            }),
          );
          // The kept copy must follow, or coming back to the page would start from an old revision.
          client.setQueryData<WorkitemDetail>(
            keys.workitem(id),
            (old) => old && { ...old, draft: { ...text, ...saved } },
          );
          return saved;
        },
        draft ?? EMPTY,
        draft?.revision ?? 0,
        draft?.saved_at ?? null,
      ),
  );
  const snapshot = useSyncExternalStore(saver.subscribe, saver.snapshot);

  // Another window of the same doctor saved: without own changes, follow it.
  useEffect(() => {
    if (draft === null || draft.revision <= saver.revision || saver.snapshot().dirty) return;
    saver.adopt(draft, draft.revision, draft.saved_at);
  }, [draft, saver]);

  useEffect(() => {
    const onBeforeUnload = (event: BeforeUnloadEvent): void => {
      if (!saver.snapshot().dirty) return;
      void saver.flush();
      event.preventDefault();
    };
    const onHide = (): void => {
      if (document.visibilityState === 'hidden') void saver.flush();
    };
    addEventListener('beforeunload', onBeforeUnload);
    document.addEventListener('visibilitychange', onHide);
    return () => {
      removeEventListener('beforeunload', onBeforeUnload);
      document.removeEventListener('visibilitychange', onHide);
      // Leaving the page within the UI: the save goes on by itself.
      void saver.flush();
    };
  }, [saver]);

  return { saver, snapshot };
}
