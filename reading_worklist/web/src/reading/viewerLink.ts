/** What an exam's page and the viewer's own window say to each other. */

/** An exam as both windows must agree on it. */
export interface Shown {
  id: string;
  patientId: string;
}

/** What the page wants shown: an exam, and beside it perhaps a prior. */
export interface Wanted extends Shown {
  url: string;
  /** What the prior beside it is called; null while there is none. */
  beside: string | null;
}

export interface FromPage {
  from: 'page';
  wanted: Wanted | null;
}
export type FromViewer =
  { from: 'viewer'; says: 'hello' | 'bye' | 'active' } | { from: 'viewer'; says: 'showing'; shown: Shown | null };

/** How often the viewer's window asks whether its page is still there, and after what silence it is not. */
export const ASK_EVERY = 2_000;
export const LOST_AFTER = 7_000;

const PLACE_KEY = 'rdc.viewer-place';
const TOKEN_KEY = 'rdc.viewer-token';

/** The channel between one tab and its viewer window: two tabs never steer the same window. */
export const channelOf = (token: string): BroadcastChannel => new BroadcastChannel(`rdc.viewer.${token}`);

/** The name of this tab for its viewer window; it outlives a reload, so that the window is found again. */
export function tabToken(): string {
  const kept = sessionStorage.getItem(TOKEN_KEY);
  if (kept !== null) return kept;
  const made = crypto.randomUUID();
  sessionStorage.setItem(TOKEN_KEY, made);
  return made;
}

/** Keeps where the viewer's window stands, so that it opens there again: mostly the second screen. */
export function keepPlace(): void {
  const { screenX: left, screenY: top, outerWidth: width, outerHeight: height } = window;
  localStorage.setItem(PLACE_KEY, JSON.stringify({ left, top, width, height }));
}

/** The features of `window.open` for the place that was kept. */
export function placeFeatures(): string {
  const kept: unknown = JSON.parse(localStorage.getItem(PLACE_KEY) ?? 'null');
  const place = typeof kept === 'object' && kept !== null ? kept : { width: 1600, height: 1000 };
  const sides = Object.entries(place).filter(([, value]) => typeof value === 'number');
  return ['popup', ...sides.map(([side, value]) => `${side}=${String(value)}`)].join(',');
}

/** Whether two windows show the same exam of the same patient. */
export function agree(one: Shown | null, other: Shown | null): boolean {
  return one?.id === other?.id && one?.patientId === other?.patientId;
}
