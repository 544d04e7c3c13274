import type { PanelProps } from '../reading/panel';
import { NotesThread } from './NotesThread';

/** The notes between the centre and the site that examined. */
export function NotesPanel({ item }: PanelProps) {
  return <NotesThread examId={item.id} />;
}
