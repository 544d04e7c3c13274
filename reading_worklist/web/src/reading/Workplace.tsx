import { type ReactNode, useDeferredValue, useEffect, useState } from 'react';
import { flushSync } from 'react-dom';

import type { WorkitemDetail } from '../api/types';
import { Divider } from '../design/Divider';
import { type Shortcuts, useShortcuts } from '../design/shortcuts';
import { useLanguage } from '../i18n/language';
import { PanelRail } from './PanelRail';
import { PANELS } from './panels';
import { RequestStrip } from './RequestStrip';
import { SidePanel } from './SidePanel';
import { useLayout, useRoom } from './useLayout';

/** Keys that lead into the report, which therefore must not be folded away. */
const INTO_REPORT = /^(Digit\d|Enter)$/;

/** Viewer, panel and report side by side, with the rail of panels at the edge. */
export function Workplace({
  item,
  viewerElsewhere,
  viewer,
  report,
}: {
  item: WorkitemDetail;
  viewerElsewhere: boolean;
  viewer: ReactNode;
  report: ReactNode;
}) {
  const { t } = useLanguage();
  const [room, measure] = useRoom();
  const layout = useLayout(room, viewerElsewhere);
  const { columns, folded, fold } = layout;
  const [called, setCalled] = useState(false);
  // What is read comes first; what is written about it follows as soon as that stands on the screen.
  const following = useDeferredValue(true, false);
  const panels = PANELS.filter((panel) => panel.applies?.(item) !== false);
  const panel = panels.find((one) => one.id === layout.open);

  const toggle = (id: string): void => {
    setCalled(true);
    layout.toggle(id);
  };
  const shortcuts: Record<string, () => void> = { 'alt+z': () => fold(!folded) };
  for (const one of panels) shortcuts[`alt+${one.key}`] = () => toggle(one.id);
  useShortcuts(shortcuts satisfies Shortcuts);

  useEffect(() => {
    if (!folded) return undefined;
    // Before the editor hears of the key: what has no place on the page cannot take the focus.
    const onKeyDown = (event: KeyboardEvent): void => {
      const intoReport = (event.altKey || event.ctrlKey) && INTO_REPORT.test(event.code);
      if (intoReport) flushSync(() => fold(false));
    };
    document.addEventListener('keydown', onKeyDown, true);
    return () => document.removeEventListener('keydown', onKeyDown, true);
  }, [folded, fold]);

  const { viewer: first, panel: second, report: third } = columns;
  return (
    <div className="workplace">
      <div
        ref={measure}
        className="workplace-columns"
        style={{ gridTemplateColumns: `${first}px ${second}px ${third}px` }}
      >
        <div className="workplace-viewer">{viewer}</div>
        {panel !== undefined && following && (
          <div className="workplace-panel">
            {first > 0 && (
              <Divider
                label={t('panel.panelEdge')}
                width={second}
                onWidth={layout.setPanelWidth}
                onDone={layout.keep}
              />
            )}
            <SidePanel item={item} panel={panel} called={called} onClose={layout.close} />
          </div>
        )}
        <div className="workplace-report" hidden={folded}>
          {(first > 0 || second > 0) && (
            <Divider label={t('panel.reportEdge')} width={third} onWidth={layout.setReportWidth} onDone={layout.keep} />
          )}
          {following && (
            <>
              <RequestStrip item={item} onOpen={() => toggle('request')} />
              {report}
            </>
          )}
        </div>
      </div>
      <PanelRail item={item} panels={panels} open={panel?.id ?? null} folded={folded} onToggle={toggle} onFold={fold} />
    </div>
  );
}
