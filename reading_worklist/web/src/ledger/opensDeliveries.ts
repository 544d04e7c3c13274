import { pagesOf } from '../session/roles';
import { useSession } from '../session/session';

/** Whether this person has the page of deliveries: then what is said of one leads there. */
export function useOpensDeliveries(): boolean {
  const { data: session } = useSession();
  return session !== undefined && session !== null && pagesOf(session).includes('/deliveries');
}
