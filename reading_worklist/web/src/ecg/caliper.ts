/** Measuring on ECG paper. Points are millimetres of the page, x to the right, y down. */

export interface Point {
  x: number;
  y: number;
}

export interface PaperScale {
  mmPerSecond: number;
  mmPerMillivolt: number;
}

/** Two corners of a measurement; `b` is the one that was dragged last. */
export interface Caliper {
  a: Point;
  b: Point;
}

export interface Measurement {
  /** Always positive. */
  milliseconds: number;
  /** From the left edge to the right edge; up is positive. */
  millivolts: number;
  /** The rate if the interval is one cycle; null for an interval too short to be one. */
  perMinute: number | null;
}

/** A rate above 600/min is no heart rate. */
const SHORTEST_CYCLE = 100;

export function measure({ a, b }: Caliper, scale: PaperScale): Measurement {
  const [left, right] = a.x <= b.x ? [a, b] : [b, a];
  const milliseconds = ((right.x - left.x) / scale.mmPerSecond) * 1000;
  return {
    milliseconds,
    millivolts: (left.y - right.y) / scale.mmPerMillivolt,
    perMinute: milliseconds >= SHORTEST_CYCLE ? 60_000 / milliseconds : null,
  };
}

/** Where repeating the interval to both sides meets the page from `from` to `to`, without the caliper's own edges. */
export function marchOut({ a, b }: Caliper, from: number, to: number): number[] {
  const left = Math.min(a.x, b.x);
  const step = Math.abs(b.x - a.x);
  if (step < 1) return [];
  const marks: number[] = [];
  for (let x = left - step; x >= from; x -= step) marks.push(x);
  marks.reverse();
  for (let x = left + 2 * step; x <= to; x += step) marks.push(x);
  return marks;
}

export type Grip = 'a' | 'b' | 'ab' | 'new';

/** What a press at `point` takes hold of: an edge within `reach`, the inside, or nothing (a new caliper). */
export function gripAt(caliper: Caliper | null, point: Point, reach: number): Grip {
  if (caliper === null) return 'new';
  const { a, b } = caliper;
  const top = Math.min(a.y, b.y) - reach;
  const bottom = Math.max(a.y, b.y) + reach;
  if (point.y < top || point.y > bottom) return 'new';
  if (Math.abs(point.x - b.x) <= reach) return 'b';
  if (Math.abs(point.x - a.x) <= reach) return 'a';
  return point.x > Math.min(a.x, b.x) && point.x < Math.max(a.x, b.x) ? 'ab' : 'new';
}

/** Moves what is held by a distance. */
export function moved({ a, b }: Caliper, grip: 'a' | 'b' | 'ab', by: Point): Caliper {
  const shift = (point: Point): Point => ({ x: point.x + by.x, y: point.y + by.y });
  return { a: grip === 'b' ? a : shift(a), b: grip === 'a' ? b : shift(b) };
}

/** How far one press of an arrow key goes, in seconds and millivolts, and with Shift. */
const FINE = { seconds: 0.004, millivolts: 0.01 };
const COARSE = { seconds: 0.04, millivolts: 0.1 };

/** The distance that an arrow key moves something on the page; null for other keys. */
export function keyStep(key: string, coarse: boolean, scale: PaperScale): Point | null {
  const step = coarse ? COARSE : FINE;
  const x = step.seconds * scale.mmPerSecond;
  const y = step.millivolts * scale.mmPerMillivolt;
  const steps: Record<string, Point> = {
    ArrowLeft: { x: -x, y: 0 },
    ArrowRight: { x, y: 0 },
    ArrowUp: { x: 0, y: -y },
    ArrowDown: { x: 0, y },
  };
  return steps[key] ?? null;
}

/** A caliper of one cycle at 75/min in the middle of a stretch, for who has no mouse. */
export function placed(left: number, right: number, y: number, scale: PaperScale): Caliper {
  const half = 0.4 * scale.mmPerSecond;
  const middle = (left + right) / 2;
  return { a: { x: middle - half, y }, b: { x: middle + half, y } };
}

/** The caliper with its other edge as the one that moves. */
export function turned({ a, b }: Caliper): Caliper {
  return { a: b, b: a };
}
