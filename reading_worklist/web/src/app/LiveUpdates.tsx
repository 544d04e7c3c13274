import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';

import { live, type WorkitemEvent } from '../api/events';
import { keys } from '../api/keys';
import { throttled } from '../api/throttle';
import { useSession } from '../session/session';
import { mayBeNew } from '../worklist/queries';

const LIST_DELAY = 100;
/** Pages of hundreds of readers do not ask all at one moment. */
const LIST_DELAY_SPREAD = 500;
/** A change shall be on the screen of others within a second, also when the one before came just now. */
const LIST_INTERVAL = 600;
/** A row that has changed in its place already is what a doctor looks at; counts and what moves behind it can follow. */
const SETTLED_PATIENCE = 1_000;
const SETTLED_PATIENCE_SPREAD = 4_000;

/** Renews what the page shows when the server tells of a change; bursts are drawn together. Draws nothing. */
export function LiveUpdates() {
  const client = useQueryClient();
  const me = useSession().data?.person.id ?? null;

  useEffect(() => {
    const renewed = (...queryKeys: QueryKey[]): Promise<unknown> => {
      // A hidden page only notes that it is old; it asks when it is looked at again.
      const refetchType = document.visibilityState === 'visible' ? 'active' : 'none';
      return Promise.all(queryKeys.map((queryKey) => client.invalidateQueries({ queryKey, refetchType })));
    };
    const renew = (queryKey: QueryKey): void => void renewed(queryKey);
    const patienceFor = ({ line }: WorkitemEvent): number =>
      line === null || mayBeNew(client, line, me) ? 0 : SETTLED_PATIENCE + Math.random() * SETTLED_PATIENCE_SPREAD;
    const delay = LIST_DELAY + Math.random() * LIST_DELAY_SPREAD;
    const lists = throttled(
      () => renewed(keys.workitems, keys.preliminary, keys.portal, keys.ledger),
      delay,
      LIST_INTERVAL,
    );
    // Nobody waits for a hidden page to be looked at: its alarm tells of it.
    const emergency = throttled(() => client.invalidateQueries({ queryKey: keys.emergency }), delay, LIST_INTERVAL);
    const deliveries = throttled(() => renewed(keys.deliveries), delay, LIST_INTERVAL);

    const identity = throttled(() => renewed(keys.identity), delay, LIST_INTERVAL);
    const orders = throttled(() => renewed(keys.orders), delay, LIST_INTERVAL);

    const unsubscribe = live.subscribe((event) => {
      switch (event.kind) {
        case 'workitem':
          if (event.lane !== 'imaging') emergency.run();
          lists.run(patienceFor(event));
          renew(keys.workitem(event.id));
          // Somebody else may have set its markers.
          renew(keys.ecgMeasured(event.id));
          renew(keys.ecgMedians(event.id));
          break;
        case 'delivery':
        case 'destination':
          lists.run();
          deliveries.run();
          renew(['workitem']);
          break;
        case 'identity':
          identity.run();
          renew(['workitem']);
          break;
        case 'quarantine':
          renew(keys.quarantine);
          break;
        case 'exam_note':
          renew(keys.examNotes);
          break;
        case 'order':
          orders.run();
          // An exam is its order until its images are here.
          lists.run();
          break;
        case 'critical_value':
          // Nobody waits for a hidden page to be looked at: its alarm and its title tell of it.
          void client.invalidateQueries({ queryKey: keys.critical });
          renew(keys.phone);
          lists.run();
          break;
        case 'consultation':
          renew(keys.consultations);
          lists.run();
          break;
        case 'retake':
          renew(keys.retakes);
          renew(keys.phone);
          lists.run();
          break;
        case 'resync':
          for (const queryKey of [
            keys.critical,
            keys.phone,
            keys.emergency,
            keys.retakes,
            keys.consultations,
            keys.workitems,
            ['workitem'],
            keys.portal,
            keys.deliveries,
            keys.identity,
            keys.orders,
            keys.examNotes,
          ])
            renew(queryKey);
          break;
      }
    });
    return () => {
      unsubscribe();
      lists.cancel();
      emergency.cancel();
      deliveries.cancel();
      identity.cancel();
      orders.cancel();
    };
  }, [client, me]);

  return null;
}
