export const LAYOUTS = ['3x4', '6x2', '12x1'] as const;
export const SPEEDS = [25, 50] as const;
export const GAINS = [5, 10, 20] as const;
export const FILTERS = ['none', '0.05-150', '0.05-250', '0.5-40'] as const;
export const ORDERS = ['standard', 'cabrera'] as const;
/** What runs beneath the columns: by custom, nothing, one lead, or three of them. */
export const RHYTHMS = ['custom', 'none', 'II', 'V1', 'V5', 'III', 'aVF', 'three'] as const;
export const PAGES = ['trace', 'median'] as const;

export type Layout = (typeof LAYOUTS)[number];
export type Speed = (typeof SPEEDS)[number];
export type Gain = (typeof GAINS)[number];
export type Filter = (typeof FILTERS)[number];
export type Order = (typeof ORDERS)[number];
export type Rhythm = (typeof RHYTHMS)[number];
/** The trace as it was recorded, or one median beat of each lead. */
export type PageKind = (typeof PAGES)[number];

/** How an ECG is drawn. */
export interface View {
  page: PageKind;
  /** null is the natural layout of the record. */
  layout: Layout | null;
  order: Order;
  rhythm: Rhythm;
  speed: Speed;
  gain: Gain;
  filter: Filter;
  /** Where in the record the page starts, in seconds. */
  start: number;
  /** One of several ECGs of the study; null is the first. */
  instance: string | null;
}

export const STANDARD_VIEW: View = {
  page: 'trace',
  layout: null,
  order: 'standard',
  rhythm: 'custom',
  speed: 25,
  gain: 10,
  filter: 'none',
  start: 0,
  instance: null,
};

/** How measuring by hand behaves. */
export interface Tools {
  /** Repeats the caliper's interval to both sides. */
  marching: boolean;
  /** Edges go to the peak or the trace that is meant. */
  snapping: boolean;
}

const THREE = ['V1', 'II', 'V5'] as const;

/** The query that asks the server for a page of the trace. */
export function traceQuery(view: View): URLSearchParams {
  const query = new URLSearchParams({
    order: view.order,
    speed: String(view.speed),
    gain: String(view.gain),
    filter: view.filter,
    start: String(view.start),
  });
  if (view.layout !== null) query.set('layout', view.layout);
  if (view.instance !== null) query.set('instance', view.instance);
  if (view.rhythm !== 'custom')
    for (const lead of view.rhythm === 'three' ? THREE : [view.rhythm]) query.append('rhythm', lead);
  return query;
}

/** The query that asks the server for the median beats. */
export function medianQuery(view: View): URLSearchParams {
  const query = new URLSearchParams({ order: view.order, speed: String(view.speed), gain: String(view.gain) });
  if (view.instance !== null) query.set('instance', view.instance);
  return query;
}

/** The choice after the present one, the first after the last: what a key that changes it does. */
export function following<Choice>(choices: readonly Choice[], present: Choice): Choice {
  return choices[(choices.indexOf(present) + 1) % choices.length] ?? present;
}

/** The size of the page on the screen: true millimetres times a factor, or whatever fits the width. */
export type Zoom = number | 'fit';

const SMALLEST = 0.5;
const LARGEST = 4;
const STEP = 1.25;

/** The next larger (+1) or smaller (−1) factor from the one now shown; true size is never jumped over. */
export function zoomStep(factor: number, direction: 1 | -1): number {
  const next = direction === 1 ? factor * STEP : factor / STEP;
  const passesTrue = (factor - 1) * (next - 1) < 0 && Math.abs(factor - 1) > 0.01;
  return passesTrue ? 1 : Math.min(LARGEST, Math.max(SMALLEST, next));
}

/** Whether a factor shows true millimetres, within what nobody can see. */
export function isTrueSize(factor: number): boolean {
  return Math.abs(factor - 1) < 0.005;
}
