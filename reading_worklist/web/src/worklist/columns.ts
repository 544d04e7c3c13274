import type { CSSProperties } from 'react';

import type { PlainKey } from '../i18n/catalogue';
import type { Sort } from './filters';

interface Column {
  heading: PlainKey;
  /** In pixels, on a narrow and on a wide screen; the study takes what is left. */
  width: number;
  roomy: number;
  /** What gives way first where a screen is narrow and nobody has chosen: the highest. */
  rank: number;
  /** The orders that a press on the heading asks for, one after the other. */
  sorts?: readonly Sort[];
}

/** The columns of the worklist, in their order on the page. */
const TABLE = {
  priority: { heading: 'worklist.column.priority', width: 68, roomy: 76, rank: 0, sorts: ['urgency'] },
  due: { heading: 'worklist.column.due', width: 160, roomy: 160, rank: 0, sorts: ['due'] },
  patient: { heading: 'worklist.column.patient', width: 198, roomy: 246, rank: 0 },
  id: { heading: 'patient.id', width: 104, roomy: 112, rank: 7 },
  accession: { heading: 'worklist.column.accession', width: 104, roomy: 112, rank: 9 },
  site: { heading: 'worklist.column.site', width: 104, roomy: 132, rank: 0 },
  modality: { heading: 'worklist.column.modality', width: 58, roomy: 64, rank: 0 },
  study: { heading: 'worklist.column.study', width: 114, roomy: 150, rank: 0 },
  marks: { heading: 'worklist.column.marks', width: 90, roomy: 92, rank: 1 },
  priors: { heading: 'worklist.column.priors', width: 48, roomy: 52, rank: 3 },
  images: { heading: 'worklist.column.images', width: 64, roomy: 70, rank: 6 },
  examined: { heading: 'worklist.column.examined', width: 94, roomy: 98, rank: 5 },
  queued: { heading: 'worklist.column.queued', width: 94, roomy: 98, rank: 4, sorts: ['queued', 'newest'] },
  group: { heading: 'worklist.column.group', width: 84, roomy: 92, rank: 8 },
  state: { heading: 'worklist.column.state', width: 124, roomy: 126, rank: 0 },
  doctor: { heading: 'worklist.column.doctor', width: 92, roomy: 112, rank: 2 },
  action: { heading: 'worklist.column.action', width: 76, roomy: 84, rank: 0 },
} as const satisfies Record<string, Column>;

export type ColumnName = keyof typeof TABLE;
export const COLUMN_NAMES = Object.keys(TABLE) as readonly ColumnName[];
/** Without these nobody could work; they cannot be put away. */
export const FIXED: readonly ColumnName[] = ['priority', 'due', 'patient', 'study', 'state', 'action'];
export const MARK_WIDTH = 34;

/** What a column is. */
export function columnOf(name: ColumnName): Column {
  return TABLE[name];
}

/** The columns that a person chose, in the order of the page; null when nothing known was chosen. */
export function chosenColumns(kept: readonly string[]): ColumnName[] | null {
  const known = COLUMN_NAMES.filter((name) => kept.includes(name) || FIXED.includes(name));
  return kept.some((name) => COLUMN_NAMES.some((one) => one === name)) ? known : null;
}

/** A list of this width has room for names in full. */
const ROOMY = 1200;

/** The usual columns for a list of this width: what does not fit gives way by rank. */
export function columnsFor(room: number): ColumnName[] {
  let shown = [...COLUMN_NAMES];
  while (widthOf(shown, room) > room) {
    const last = shown.reduce((most, name) => (columnOf(name).rank > columnOf(most).rank ? name : most));
    if (columnOf(last).rank === 0) break;
    shown = shown.filter((name) => name !== last);
  }
  return shown;
}

/** How wide a column is in a list of this width, in pixels. */
export function columnWidth(name: ColumnName, room: number): number {
  const { width, roomy } = columnOf(name);
  return room < ROOMY ? width : roomy;
}

/** A column with its place on the page. */
export interface ShownColumn {
  name: ColumnName;
  style: CSSProperties | undefined;
}

/** The columns as wide as they are in a list of this width. */
export function shownColumns(names: readonly ColumnName[], room: number): ShownColumn[] {
  return names.map((name) => ({ name, style: name === 'study' ? undefined : { width: columnWidth(name, room) } }));
}

/** How wide some columns are together in a list of this width, in pixels. */
export function widthOf(names: readonly ColumnName[], room: number): number {
  return names.reduce((sum, name) => sum + columnWidth(name, room), 0);
}

/** The order that a press on a heading leads to: its next one, or back to the usual. */
export function nextSort(name: ColumnName, sort: Sort | null): Sort | null {
  const sorts = columnOf(name).sorts ?? [];
  if (sort === null) return sorts[0] ?? null;
  const at = sorts.indexOf(sort);
  return sorts[at + 1] ?? null;
}
