import type { LaneBoard } from '../api/types';
import { formatDuration } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { PRIORITIES } from '../worklist/filters';

/** One lane: what waits by priority and for how long, and what is late. */
export function LanePanel({ lane, now }: { lane: LaneBoard; now: number }) {
  const { t, language } = useLanguage();
  const counts = ['overdue', 'due_soon', 'working', 'to_review', 'held'] as const;
  return (
    <section className="board-panel board-lane">
      <h2>{t(`lane.${lane.lane}`)}</h2>
      <div className="board-priorities">
        {PRIORITIES.map((priority) => {
          const waiting = lane.waiting[priority];
          if (waiting === undefined) return null;
          const { count, late, oldest_queued_at: oldest } = waiting;
          const tone = late > 0 ? 'late' : count > 0 ? 'some' : 'none';
          return (
            <div key={priority} className={`board-tile board-tile-${tone} board-${priority.toLowerCase()}`}>
              <h3>{t(`priority.${priority}`)}</h3>
              <strong>{count}</strong>
              <p>
                {oldest === null
                  ? t('board.nothingWaits')
                  : t('board.oldest', { time: formatDuration(language, now - Date.parse(oldest)) })}
              </p>
              <p className="board-late">{late > 0 && t('board.unclaimed', { n: late })}</p>
            </div>
          );
        })}
      </div>
      <dl className="board-counts">
        {counts.map((name) => (
          <div key={name} className={lane[name] > 0 ? `board-count-${name}` : undefined}>
            <dt>{t(`board.${name}`)}</dt>
            <dd>{lane[name]}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
