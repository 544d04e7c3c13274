import type { Workitem } from '../api/types';
import { useMinute } from '../design/clock';
import { dueLevel } from '../design/due';
import { useLanguage } from '../i18n/language';
import { statesOf } from './filters';

/** How many exams of the shown page are overdue. */
export function Overdue({ items }: { items: readonly Workitem[] }) {
  const { t } = useLanguage();
  const now = useMinute();
  const open = items.filter((item) => statesOf('open').includes(item.state));
  const overdue = open.filter((item) => dueLevel(item.queued_at, item.due_at, now) === 'overdue').length;
  return overdue > 0 ? <span className="pager-overdue">{t('worklist.overdueCount', { n: overdue })}</span> : null;
}
