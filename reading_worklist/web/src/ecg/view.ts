export const LAYOUTS = ['3x4', '6x2', '12x1'] as const;
export const SPEEDS = [25, 50] as const;
export const GAINS = [5, 10, 20] as const;
export const FILTERS = ['none', '0.05-150', '0.5-40'] as const;

export type Layout = (typeof LAYOUTS)[number];
export type Speed = (typeof SPEEDS)[number];
export type Gain = (typeof GAINS)[number];
export type Filter = (typeof FILTERS)[number];

/** How an ECG is drawn. */
export interface View {
  /** null is the natural layout of the record. */
  layout: Layout | null;
  speed: Speed;
  gain: Gain;
  filter: Filter;
  /** Where in the record the page starts, in seconds. */
  start: number;
  /** One of several ECGs of the study; null is the first. */
  instance: string | null;
}

export const STANDARD_VIEW: View = { layout: null, speed: 25, gain: 10, filter: 'none', start: 0, instance: null };

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
