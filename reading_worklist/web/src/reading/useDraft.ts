import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, useSyncExternalStore } from 'react';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { Draft, DraftContent, WorkitemDetail } from '../api/types';
import { DraftKeeper, type KeptDraft, sameContent } from './draftKeeper';
import { DraftSaver, type DraftSnapshot } from './draftSaver';
import { DraftTabs, type TabRole } from './draftTabs';

const EMPTY: DraftContent = {
  findings: '',
  impression: '',
  advice: '',
  comparison: '',
  addendum: '',
  codes: {},
  template_id: null,
  ecg: { statements: [], confirmed: {} },
};

interface DraftInHand {
  saver: DraftSaver;
  snapshot: DraftSnapshot;
  /** Whether this window writes, or another one of this browser. */
  role: TabRole;
  takeOver: () => void;
  /** What this browser kept and the server lacks, until the doctor has chosen. */
  kept: KeptDraft | null;
  restore: () => void;
  discard: () => void;
}

/** The draft of a claimed workitem: saved while it is typed, kept in this browser until it is. */
export function useDraft(id: string, personId: string, draft: Draft | null): DraftInHand {
  const client = useQueryClient();
  const [keeper] = useState(() => new DraftKeeper(localStorage, id, personId));
  const [saver] = useState(
    () =>
      new DraftSaver(
        async (content, revision) => {
          const saved = await answer(
            api.PUT('/api/workitems/{workitem_id}/draft', {
              params: { path: { workitem_id: id } },
              body: { ...content, revision },
            }),
          );
          // The kept copy must follow, or coming back to the page would start from an old revision.
          client.setQueryData<WorkitemDetail>(
            keys.workitem(id),
            (old) => old && { ...old, draft: { ...content, ...saved } },
          );
          return saved;
        },
        draft === null ? EMPTY : contentOf(draft),
        draft?.revision ?? 0,
        draft?.saved_at ?? null,
      ),
  );
  const [kept, setKept] = useState(() => {
    const found = keeper.read();
    return found === null || sameContent(found.content, saver.snapshot().text) ? null : found;
  });
  const snapshot = useSyncExternalStore(saver.subscribe, saver.snapshot);
  const { role, takeOver } = useOneWindow(id, saver);
  const choosing = kept !== null;

  useEffect(() => {
    // Until the doctor has chosen, what was kept must not be written over.
    if (choosing) return undefined;
    const keep = (): void => {
      const { text, dirty } = saver.snapshot();
      if (dirty) keeper.keep(text, saver.revision);
      else keeper.clear();
    };
    keep();
    return saver.subscribe(keep);
  }, [saver, keeper, choosing]);

  // A refusal means that the claim is lost or somebody has gone on with it: the page shows how it stands.
  const refused = snapshot.status.kind === 'refused';
  useEffect(() => {
    if (refused) void client.invalidateQueries({ queryKey: keys.workitem(id), exact: true });
  }, [refused, client, id]);

  // Another window of the same doctor saved: without own changes, follow it.
  useEffect(() => {
    if (draft === null || draft.revision <= saver.revision || saver.snapshot().dirty) return;
    saver.adopt(contentOf(draft), draft.revision, draft.saved_at);
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

  return {
    saver,
    snapshot,
    role,
    takeOver,
    kept,
    restore: () => {
      if (kept !== null) saver.change(kept.content);
      setKept(null);
    },
    discard: () => {
      keeper.clear();
      setKept(null);
    },
  };
}

/** Lets one window of this browser write, and hands over with everything saved. */
function useOneWindow(id: string, saver: DraftSaver): { role: TabRole; takeOver: () => void } {
  const client = useQueryClient();
  const [tabs] = useState(
    () =>
      new DraftTabs(
        () => new BroadcastChannel(`rdc.draft.${id}`),
        crypto.randomUUID(),
        () => saver.flush(),
        // What the other window saved last is on the server, and is followed.
        () => void client.invalidateQueries({ queryKey: keys.workitem(id), exact: true }),
      ),
  );
  useEffect(() => {
    tabs.open();
    return () => tabs.close();
  }, [tabs]);
  const role = useSyncExternalStore(tabs.subscribe, tabs.role);
  return { role, takeOver: () => tabs.takeOver() };
}

/** The part of a draft that is written. */
export function contentOf({
  findings,
  impression,
  advice,
  comparison,
  addendum,
  codes,
  template_id,
  ecg,
}: Draft): DraftContent {
  return { findings, impression, advice, comparison, addendum, codes, template_id, ecg };
}
