import { EmergencyTimes } from '../emergency/EmergencyTimes';
import type { PanelProps } from './panel';
import { useTimeline } from './queries';
import { TimelineView } from './TimelineView';

/** How the exam came about and reached the site, with the time of each step. */
export function TimelinePanel({ item }: PanelProps) {
  return (
    <>
      <EmergencyTimes id={item.id} enabled={item.lane === 'ecg' && item.priority === 'STAT'} />
      <TimelineView timeline={useTimeline(item.id)} />
    </>
  );
}
