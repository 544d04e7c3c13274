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
/** Below this two exams beside each other are no larger than their thumbnails. */
export const VIEWER_GLANCE = 240;
export const PANEL_LEAST = 300;
export const REPORT_LEAST = 320;

const between = (least: number, value: number, most: number): number => Math.max(least, Math.min(value, most));

/**
 * Divides `room` pixels. The report gives way first, then the panel. Where there is no room for all three, the images
 * become smaller than their tools: what is compared is read while it is written about. They keep what still shows a
 * finding, or give up their place; folding the report gives it back to them.
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
  const left = room - PANEL_LEAST - REPORT_LEAST;
  if (left < VIEWER_GLANCE) return { viewer: 0, panel: room - REPORT_LEAST, report: REPORT_LEAST };
  const both = Math.max(beside, PANEL_LEAST + REPORT_LEAST);
  const panel = between(PANEL_LEAST, wanted.panel, both - REPORT_LEAST);
  const report = between(REPORT_LEAST, wanted.report, both - panel);
  return { viewer: room - panel - report, panel, report };
}
