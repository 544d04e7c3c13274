import type { Workitem } from '../api/types';
import { formatDateTime, formatDuration } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { useSecond } from './clock';
import { dueLevel } from './due';
import './due.css';

const FINISHED: ReadonlySet<Workitem['state']> = new Set<Workitem['state']>(['FINAL', 'PUBLISHED', 'DELIVERED']);

/** The time left until a workitem is due, counting down; nothing once it is signed. */
export function Due({ item }: { item: Pick<Workitem, 'state' | 'queued_at' | 'due_at'> }) {
  const { t } = useLanguage();
  if (FINISHED.has(item.state)) return <span className="due due-done">{t('app.none')}</span>;
  return <Countdown queuedAt={item.queued_at} dueAt={item.due_at} />;
}

/** The time from `queuedAt` that is left until `dueAt`, counting down; then by how much it has passed. */
export function Countdown({ queuedAt, dueAt }: { queuedAt: string; dueAt: string }) {
  const { t, language } = useLanguage();
  const now = useSecond();
  const level = dueLevel(queuedAt, dueAt, now);
  const time = formatDuration(language, Date.parse(dueAt) - now);
  return (
    <span className={`due due-${level}`} title={t('worklist.due.at', { time: formatDateTime(dueAt) })}>
      {level === 'overdue' ? t('worklist.due.overdue', { time }) : t('worklist.due.left', { time })}
    </span>
  );
}
