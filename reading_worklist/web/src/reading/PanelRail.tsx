import { FormOutlined } from '@ant-design/icons';
import { Tooltip } from 'antd';

import type { WorkitemDetail } from '../api/types';
import { useLanguage } from '../i18n/language';
import type { ReadingPanel } from './panel';

/** The panels that there are, each with its key and with what is to be noticed in it. */
export function PanelRail({
  item,
  panels,
  open,
  folded,
  onToggle,
  onFold,
}: {
  item: WorkitemDetail;
  panels: readonly ReadingPanel[];
  open: string | null;
  folded: boolean;
  onToggle: (panel: string) => void;
  onFold: (folded: boolean) => void;
}) {
  const { t } = useLanguage();
  return (
    <nav className="rail" aria-label={t('panel.rail')}>
      <Tooltip title={`${t(folded ? 'panel.unfold' : 'panel.fold')}  Alt+Z`} placement="left">
        <button
          type="button"
          className="rail-button rail-report"
          aria-pressed={!folded}
          aria-keyshortcuts="Alt+Z"
          onClick={() => onFold(!folded)}
        >
          <FormOutlined />
          <span>{t('reading.panel')}</span>
        </button>
      </Tooltip>
      {panels.map((panel) => (
        <RailButton key={panel.id} item={item} panel={panel} open={open === panel.id} onToggle={onToggle} />
      ))}
    </nav>
  );
}

function RailButton({
  item,
  panel,
  open,
  onToggle,
}: {
  item: WorkitemDetail;
  panel: ReadingPanel;
  open: boolean;
  onToggle: (panel: string) => void;
}) {
  const { t } = useLanguage();
  const { useBadge } = panel;
  const badge = useBadge(item);
  const Icon = panel.icon;
  return (
    <Tooltip title={`${t(panel.name)}  Alt+${panel.key.toUpperCase()}`} placement="left">
      <button
        type="button"
        className="rail-button"
        aria-pressed={open}
        aria-keyshortcuts={`Alt+${panel.key.toUpperCase()}`}
        onClick={() => onToggle(panel.id)}
      >
        <Icon />
        <span>{t(panel.short)}</span>
        {badge !== null && (
          <span className={`rail-badge rail-badge-${badge.tone}`}>{badge.count > 99 ? '99+' : badge.count}</span>
        )}
      </button>
    </Tooltip>
  );
}
