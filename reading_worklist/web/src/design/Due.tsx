import type { Workitem } from '../api/types';
import { formatDateTime, formatDuration } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { useAtSecond } from './clock';
import { type DueLevel, dueLevel } from './due';
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
  // Drawn anew only when it reads differently: of a long list few do so in a second.
  const [level, time] = useAtSecond((now) =>
    [dueLevel(queuedAt, dueAt, now), formatDuration(language, Date.parse(dueAt) - now)].join(' '),
  ).split(/ (.*)/s) as [DueLevel, string];
  return (
    <span className={`due due-${level}`} title={t('worklist.due.at', { time: formatDateTime(dueAt) })}>
      {level === 'overdue' ? t('worklist.due.overdue', { time }) : t('worklist.due.left', { time })}
    </span>
  );
}
