import type { ComponentType } from 'react';

import type { WorkitemDetail } from '../api/types';
import type { PlainKey } from '../i18n/catalogue';

/** What a panel wants to be noticed for: how much of it there is, and how pressing it is. */
export interface PanelBadge {
  count: number;
  tone: 'slate' | 'blue' | 'amber' | 'red';
}

export interface PanelProps {
  item: WorkitemDetail;
}

/**
 * A panel beside the report. `short` stands under its icon and must be one short word; `key` is the letter that opens
 * and closes it with Alt. `useBadge` is a hook: it runs for every exam that is open, so it may ask the server once, and
 * no more. `applies` hides a panel that means nothing for an exam; all apply where it is missing.
 */
export interface ReadingPanel {
  id: string;
  key: string;
  name: PlainKey;
  short: PlainKey;
  icon: ComponentType;
  useBadge: (item: WorkitemDetail) => PanelBadge | null;
  applies?: (item: WorkitemDetail) => boolean;
  Content: ComponentType<PanelProps>;
}
