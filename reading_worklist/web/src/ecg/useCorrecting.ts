import { App } from 'antd';
import { useCallback, useState } from 'react';

import type { EcgCorrections } from '../api/types';
import { useLanguage } from '../i18n/language';
import { useSession } from '../session/session';
import { NO_CORRECTIONS, sameCorrections } from './corrections';
import { useKeepCorrections, useMeasured, type Which } from './queries';

/** Who sets markers, as the server sees it. */
const READERS: ReadonlySet<string> = new Set(['writer', 'reviewer']);

/**
 * Markers that a reader sets by hand: what is measured with them at once, and what becomes of them.
 * `analysed`: whether there is an analysis beside which they could be kept.
 */
export function useCorrecting(id: string, which: Which, analysed: boolean) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const [active, setActive] = useState(false);
  const [draft, setDraft] = useState<EcgCorrections | null>(null);
  const mayCorrect = useSession().data?.roles.some((role) => READERS.has(role)) === true && analysed;
  const kept = useMeasured(id, which, null);
  const keep = useKeepCorrections(id, which.instance);
  const known = { ...NO_CORRECTIONS, ...kept.data?.corrections };
  const changed = draft !== null && !sameCorrections(draft, known);
  const trial = useMeasured(id, which, changed ? draft : null);
  const corrections = draft ?? known;
  const isActive = active && mayCorrect;
  const change = useCallback(
    (next: EcgCorrections): void => {
      keep.reset();
      setDraft(next);
    },
    [keep],
  );
  const toggle = useCallback((): void => {
    setActive((old) => !old);
    setDraft(null);
  }, []);
  return {
    /** Null for who may not. */
    active: mayCorrect ? active : null,
    toggle,
    /** As measured with the present markers; when they cannot be, as it was before. */
    measured: trial.isError ? kept : trial,
    marks: isActive ? { corrections, change } : null,
    bar: {
      measured: trial.isError ? kept.data : trial.data,
      corrections,
      changed,
      error: changed ? (keep.error ?? trial.error) : null,
      saving: keep.isPending,
      onChange: change,
      onSave: () => {
        keep.mutate(corrections, {
          onSuccess: () => {
            setDraft(null);
            void message.success(t('ecg.correct.saved'));
          },
        });
      },
      onDiscard: () => {
        if (changed) setDraft(null);
        else toggle();
      },
    },
  };
}
