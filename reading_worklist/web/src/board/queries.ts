import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';

import { answer, api } from '../api/client';
import { live } from '../api/events';
import { keys } from '../api/keys';
import { throttled } from '../api/throttle';

const INTERVAL = 15_000;
const EVENT_DELAY = 200;
const EVENT_INTERVAL = 2_000;

/** The board, asked for when something changes and every fifteen seconds. */
export function useBoard() {
  const client = useQueryClient();
  useEffect(() => {
    const renew = throttled(() => client.invalidateQueries({ queryKey: keys.board }), EVENT_DELAY, EVENT_INTERVAL);
    const leave = live.subscribe(() => renew.run());
    return () => {
      leave();
      renew.cancel();
    };
  }, [client]);
  const connection = useSyncExternalStore(live.subscribeState, live.state);
  const board = useQuery({
    queryKey: keys.board,
    queryFn: () => answer(api.GET('/api/worklist/board')),
    refetchInterval: INTERVAL,
    // Nobody looks into the window of a wall.
    refetchIntervalInBackground: true,
    retry: false,
  });
  return { board, lost: connection === 'lost' };
}
