import type { WorkitemDetail } from '../api/types';
import type { PanelBadge } from '../reading/panel';
import { useNotes } from './queries';

/** Amber for notes that nobody here has seen, else how many there are. */
export function useNotesBadge(item: WorkitemDetail): PanelBadge | null {
  const { data } = useNotes(item.id);
  if (data === undefined || data.notes.length === 0) return null;
  return data.unread > 0 ? { count: data.unread, tone: 'amber' } : { count: data.notes.length, tone: 'slate' };
}
