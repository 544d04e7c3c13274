/** What a drawn page says of its leads: where each stands, and the trace as it was drawn. Millimetres of the page. */
export interface LeadOnPage {
  name: string;
  left: number;
  right: number;
  top: number;
  bottom: number;
  /** Where 0 µV lies. */
  zero: number;
  /** Where the lead's time begins: the left edge of a stretch of the record, R of a median beat. */
  originX: number;
  /** The time there, in seconds. */
  originSeconds: number;
  /** The drawn points in the order of time. A gap is a point whose y is not a number. */
  points: () => Points;
}

export interface Points {
  x: Float64Array;
  y: Float64Array;
}

/** How far a lead reaches above and below its zero line, where the page does not say. */
const ABOUT_MM = 9;

/** Reads the leads of a page from its data attributes; one whose measures are not there is left out. */
export function leadsOf(root: Element): LeadOnPage[] {
  const paperX = numberOf(root, 'data-paper-x-mm') ?? 0;
  const paperY = numberOf(root, 'data-paper-y-mm') ?? 0;
  const perSecond = numberOf(root, 'data-mm-per-second') ?? Number.NaN;
  const found: LeadOnPage[] = [];
  for (const group of root.querySelectorAll('g[data-lead]')) {
    const zero = numberOf(group, 'data-zero-mm');
    const r = numberOf(group, 'data-r-mm');
    const from = r === null ? numberOf(group, 'data-x-mm') : numberOf(group, 'data-left-mm');
    const to =
      r === null
        ? (numberOf(group, 'data-x-mm') ?? Number.NaN) + (numberOf(group, 'data-seconds') ?? Number.NaN) * perSecond
        : numberOf(group, 'data-right-mm');
    if (zero === null || from === null || to === null || !(to > from)) continue;
    let read: Points | null = null;
    found.push({
      name: group.getAttribute('data-lead') ?? '',
      left: paperX + from,
      right: paperX + to,
      top: paperY + (numberOf(group, 'data-top-mm') ?? zero - ABOUT_MM),
      bottom: paperY + (numberOf(group, 'data-bottom-mm') ?? zero + ABOUT_MM),
      zero: paperY + zero,
      originX: paperX + (r ?? from),
      originSeconds: r === null ? (numberOf(group, 'data-start-seconds') ?? 0) : 0,
      points: () => (read ??= pointsOf(group.querySelector('path[data-part="trace"]'), paperX, paperY)),
    });
  }
  return found;
}

/** The points of a trace's path, which is written as `M x y l dx dy …` for each run, at a scale of its own. */
function pointsOf(path: Element | null, paperX: number, paperY: number): Points {
  const xs: number[] = [];
  const ys: number[] = [];
  const scale = Number(/scale\(([\d.]+)\)/.exec(path?.getAttribute('transform') ?? '')?.[1] ?? 1);
  for (const run of (path?.getAttribute('d') ?? '').split('M').slice(1)) {
    const numbers = (run.replace('h0', '').match(/-?\d+(?:\.\d+)?/g) ?? []).map(Number);
    let x = 0;
    let y = 0;
    if (xs.length > 0) {
      xs.push(xs.at(-1) ?? 0);
      ys.push(Number.NaN);
    }
    for (let at = 0; at + 1 < numbers.length; at += 2) {
      x += numbers[at] ?? 0;
      y += numbers[at + 1] ?? 0;
      xs.push(paperX + x * scale);
      ys.push(paperY + y * scale);
    }
  }
  return { x: Float64Array.from(xs), y: Float64Array.from(ys) };
}

function numberOf(element: Element, name: string): number | null {
  const text = element.getAttribute(name);
  const value = text === null || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

export interface Place {
  x: number;
  y: number;
}

/** The lead whose stretch a place lies in and whose zero line is nearest; null beside all of them. */
export function leadAt(leads: readonly LeadOnPage[], place: Place): LeadOnPage | null {
  let nearest: LeadOnPage | null = null;
  for (const lead of leads) {
    if (place.x < lead.left || place.x > lead.right) continue;
    if (nearest === null || Math.abs(lead.zero - place.y) < Math.abs(nearest.zero - place.y)) nearest = lead;
  }
  return nearest;
}

/** The first index whose x is not before the given one. */
function indexFrom({ x }: Points, from: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where the trace stands at an x, between its drawn points; null in a gap and beside its ends. */
export function heightAt(points: Points, at: number): number | null {
  const after = indexFrom(points, at);
  const x1 = points.x[after];
  const y1 = points.y[after];
  if (x1 === undefined || y1 === undefined) return null;
  if (x1 === at) return Number.isNaN(y1) ? null : y1;
  const x0 = points.x[after - 1];
  const y0 = points.y[after - 1];
  if (x0 === undefined || y0 === undefined) return null;
  const height = y0 + ((y1 - y0) * (at - x0)) / (x1 - x0);
  return Number.isNaN(height) ? null : height;
}

/**
 * The place that somebody who points near a trace means: the peak or trough within reach, or the trace itself at
 * that time. A place without a trace stays as it is.
 */
export function snapped(leads: readonly LeadOnPage[], place: Place, reach: number): Place {
  const lead = leadAt(leads, place);
  if (lead === null) return place;
  const points = lead.points();
  const level = heightAt(points, place.x);
  if (level === null) return place;
  let best: Place | null = null;
  for (let at = indexFrom(points, place.x - reach); (points.x[at] ?? Infinity) <= place.x + reach; at += 1) {
    const x = points.x[at] ?? 0;
    const y = points.y[at] ?? Number.NaN;
    const before = points.y[at - 1] ?? Number.NaN;
    const after = points.y[at + 1] ?? Number.NaN;
    const turns = (y - before) * (after - y) < 0;
    if (turns && (best === null || Math.abs(y - level) > Math.abs(best.y - level))) best = { x, y };
  }
  return best ?? { x: place.x, y: level };
}

export interface Reading {
  lead: string;
  seconds: number;
  /** Null where there is no trace. */
  millivolts: number | null;
}

/** What the page shows at a place: the lead, its time there, and how high its trace stands. */
export function readAt(
  leads: readonly LeadOnPage[],
  place: Place,
  scale: { mmPerSecond: number; mmPerMillivolt: number },
): Reading | null {
  const lead = leadAt(leads, place);
  if (lead === null) return null;
  const height = heightAt(lead.points(), place.x);
  return {
    lead: lead.name,
    seconds: lead.originSeconds + (place.x - lead.originX) / scale.mmPerSecond,
    millivolts: height === null ? null : (lead.zero - height) / scale.mmPerMillivolt,
  };
}
