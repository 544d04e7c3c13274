import { useMinute } from '../design/clock';
import { localOf } from '../roster/week';
import { useSession } from '../session/session';

/** Today at the centre, as `2026-11-22`. */
export function useDay(): string {
  const { data: session } = useSession();
  return localOf(new Date(useMinute()).toISOString(), session?.time_zone ?? 'Asia/Shanghai').day;
}
