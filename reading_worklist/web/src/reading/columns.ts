/** Where the columns of the reading page go: viewer, the open panel, the report. The rail of panels is not in it. */
export interface Columns {
  viewer: number;
  panel: number;
  report: number;
}

/** Widths that somebody chose by dragging, in pixels. */
export interface Wanted {
  panel: number;
  report: number;
}

export interface Shown {
  /** The images have a window of their own. */
  viewerElsewhere: boolean;
  panelOpen: boolean;
  reportFolded: boolean;
}

/** Below this the tools of the viewer cover its own logo, and then each other. */
export const VIEWER_LEAST = 640;
export const PANEL_LEAST = 300;
export const REPORT_LEAST = 320;

const between = (least: number, value: number, most: number): number => Math.max(least, Math.min(value, most));

/**
 * Divides `room` pixels. The viewer keeps what it needs; of the other two, the report gives way first, and where there
 * is no room for both the panel takes the place of the report.
 */
export function divide(room: number, wanted: Wanted, { viewerElsewhere, panelOpen, reportFolded }: Shown): Columns {
  if (viewerElsewhere) {
    if (reportFolded) return { viewer: 0, panel: panelOpen ? room : 0, report: panelOpen ? 0 : room };
    const panel = panelOpen ? between(PANEL_LEAST, wanted.panel, room - REPORT_LEAST) : 0;
    return { viewer: 0, panel, report: room - panel };
  }
  const beside = Math.max(room - VIEWER_LEAST, REPORT_LEAST);
  if (reportFolded) {
    const panel = panelOpen ? between(PANEL_LEAST, wanted.panel, beside) : 0;
    return { viewer: room - panel, panel, report: 0 };
  }
  if (!panelOpen) {
    const report = between(REPORT_LEAST, wanted.report, beside);
    return { viewer: room - report, panel: 0, report };
  }
  if (beside < PANEL_LEAST + REPORT_LEAST) {
    const panel = between(PANEL_LEAST, wanted.report, beside);
    return { viewer: room - panel, panel, report: 0 };
  }
  const panel = between(PANEL_LEAST, wanted.panel, beside - REPORT_LEAST);
  const report = between(REPORT_LEAST, wanted.report, beside - panel);
  return { viewer: room - panel - report, panel, report };
}
