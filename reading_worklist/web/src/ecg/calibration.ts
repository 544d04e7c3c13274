import { useMemo, useSyncExternalStore } from 'react';

const STORAGE_KEY = 'rdc.screen-calibration';
const CHANGED = 'rdc-calibration-changed';

/** What CSS takes a millimetre for; on most screens it is some per cent off. */
export const NOMINAL_PIXELS_PER_MM = 96 / 25.4;
/** The width of bank and identity cards (ISO/IEC 7810 ID-1). */
export const CARD_WIDTH_MM = 85.6;
export const CARD_HEIGHT_MM = 53.98;
export const SMALLEST_PIXELS_PER_MM = 1.6;
export const LARGEST_PIXELS_PER_MM = 12;

/**
 * The scale of this screen. It is kept in device pixels, so that it stays right when the browser's zoom
 * changes the size of a CSS pixel.
 */
export interface Calibration {
  /** CSS pixels for one true millimetre at the present zoom of the browser. */
  pixelsPerMm: number;
  /** Whether a person has measured it. */
  calibrated: boolean;
}

/** CSS pixels per millimetre from what was kept (device pixels per millimetre) and the present pixel ratio. */
export function pixelsPerMm(kept: string | null, pixelRatio: number): Calibration {
  const devicePixels = Number(kept);
  const css = devicePixels / pixelRatio;
  const plausible = kept !== null && css >= SMALLEST_PIXELS_PER_MM / 2 && css <= LARGEST_PIXELS_PER_MM * 2;
  return plausible ? { pixelsPerMm: css, calibrated: true } : { pixelsPerMm: NOMINAL_PIXELS_PER_MM, calibrated: false };
}

/** Keeps the scale that a person measured on this screen; null forgets it. */
export function keepCalibration(cssPixelsPerMm: number | null): void {
  if (cssPixelsPerMm === null) localStorage.removeItem(STORAGE_KEY);
  else localStorage.setItem(STORAGE_KEY, String(cssPixelsPerMm * devicePixelRatio));
  dispatchEvent(new Event(CHANGED));
}

function subscribe(listener: () => void): () => void {
  const occasions = [CHANGED, 'storage', 'resize'];
  for (const occasion of occasions) addEventListener(occasion, listener);
  return () => {
    for (const occasion of occasions) removeEventListener(occasion, listener);
  };
}

/** The scale of this screen, following changes of calibration and browser zoom. */
export function useCalibration(): Calibration {
  const kept = useSyncExternalStore(subscribe, () => localStorage.getItem(STORAGE_KEY));
  const ratio = useSyncExternalStore(subscribe, () => devicePixelRatio);
  return useMemo(() => pixelsPerMm(kept, ratio), [kept, ratio]);
}
