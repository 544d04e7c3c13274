import type { PaperScale } from './caliper';
import { type LeadOnPage, leadsOf } from './leadsOnPage';

/** A drawn page with the measures that its data attributes state. */
export interface Trace extends PaperScale {
  element: SVGSVGElement;
  /** Whether it shows a median beat of each lead, no stretch of time. */
  isMedian: boolean;
  widthMm: number;
  heightMm: number;
  startSeconds: number;
  pageSeconds: number;
  durationSeconds: number;
  /** Where the following page starts; null on the last. */
  nextStartSeconds: number | null;
  leads: readonly LeadOnPage[];
}

/** All that a page may be drawn with. The server sends nothing else; what it would send is not taken in. */
const ELEMENTS = new Set(['svg', 'g', 'path', 'rect', 'line', 'polyline', 'circle', 'text', 'tspan', 'title']);

/** Reads an SVG page of the server. Throws an Error when it lacks its measures. */
export function parseTrace(text: string): Trace {
  const root = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
  if (!(root instanceof SVGSVGElement)) throw new Error('The trace is not an SVG');
  for (const element of [...root.querySelectorAll('*')]) {
    if (!ELEMENTS.has(element.localName)) element.remove();
    else
      for (const { name } of [...element.attributes])
        if (/^(on|.*href$|style$)/i.test(name)) element.removeAttribute(name);
  }
  const [, , widthMm = Number.NaN, heightMm = Number.NaN] = (root.getAttribute('viewBox') ?? '')
    .split(/\s+/)
    .map(Number);
  const trace: Trace = {
    element: root,
    isMedian: root.getAttribute('data-layout') === 'median',
    widthMm,
    heightMm,
    mmPerSecond: measureOf(root, 'data-mm-per-second'),
    mmPerMillivolt: measureOf(root, 'data-mm-per-mv'),
    startSeconds: measureOf(root, 'data-start-seconds'),
    pageSeconds: measureOf(root, 'data-page-seconds'),
    durationSeconds: measureOf(root, 'data-duration-seconds'),
    nextStartSeconds: optional(root.getAttribute('data-next-start-seconds')),
    leads: leadsOf(root),
  };
  if (!(widthMm > 0) || !(heightMm > 0)) throw new Error('The trace does not state its size');
  root.setAttribute('width', '100%');
  root.setAttribute('height', '100%');
  return trace;
}

function measureOf(root: Element, name: string): number {
  const value = optional(root.getAttribute(name));
  if (value === null) throw new Error(`The trace does not state ${name}`);
  return value;
}

function optional(text: string | null): number | null {
  const value = text === null || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}
