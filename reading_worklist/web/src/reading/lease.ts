import { useCallback, useEffect, useRef } from 'react';

import { serverNow } from '../api/serverClock';
import type { WorkitemDetail } from '../api/types';
import { useSession } from '../session/session';
import { useWorkitemAct } from './queries';

const CHECK_EVERY = 30_000;
/** Somebody who touched the page this recently is at work. */
const AT_WORK = 4 * 60_000;
const RENEW_BELOW = 8 * 60_000;

/** How an exam stays with the doctor who works on it. */
export interface Lease {
  /** Until when it is his; null where it is not his to lose. */
  until: string | null;
  /** Notes a sign of life from inside the viewer. */
  noteActivity: () => void;
  /** Keeps it now. */
  keep: () => void;
}

/** Keeps an exam with the doctor who works on it: reading without typing must not lose it, leaving the desk must. */
export function useLeaseRenewal(item: WorkitemDetail): Lease {
  const { data: session } = useSession();
  const { mutate } = useWorkitemAct(item.id);
  const lastActivity = useRef(0);
  const note = useCallback(() => {
    lastActivity.current = Date.now();
  }, []);
  const mine = item.claimed_by !== null && item.claimed_by.id === session?.person.id;
  const act = mine && item.state === 'CLAIMED' ? 'claim' : mine && item.state === 'REVIEWING' ? 'review' : null;
  const until = item.lease_until;

  useEffect(() => {
    note();
    const signs = ['pointerdown', 'keydown', 'wheel'] as const;
    for (const sign of signs) document.addEventListener(sign, note, { passive: true });
    return () => {
      for (const sign of signs) document.removeEventListener(sign, note);
    };
  }, [note]);

  useEffect(() => {
    if (act === null || until === null) return undefined;
    const timer = setInterval(() => {
      const atWork = Date.now() - lastActivity.current < AT_WORK;
      if (atWork && Date.parse(until) - serverNow() < RENEW_BELOW) mutate({ act });
    }, CHECK_EVERY);
    return () => clearInterval(timer);
  }, [act, until, mutate]);

  const keep = useCallback(() => {
    if (act !== null) mutate({ act });
  }, [act, mutate]);
  return { until: act === null ? null : until, noteActivity: note, keep };
}
