import { expect, it } from 'vitest';

import { NOMINAL_PIXELS_PER_MM, pixelsPerMm } from './calibration';
import { isTrueSize, zoomStep } from './view';

it('a screen that nobody measured shows nominal millimetres and says so', () => {
  expect(pixelsPerMm(null, 1)).toEqual({ pixelsPerMm: NOMINAL_PIXELS_PER_MM, calibrated: false });
  expect(pixelsPerMm('rubbish', 1).calibrated).toBe(false);
  expect(pixelsPerMm('0.01', 1).calibrated).toBe(false);
});

it('a measured screen stays true when the zoom of the browser changes', () => {
  expect(pixelsPerMm('4.2', 1)).toEqual({ pixelsPerMm: 4.2, calibrated: true });
  expect(pixelsPerMm('4.2', 1.5).pixelsPerMm).toBeCloseTo(2.8);
});

it('zooming in or out stops at true size and at the ends', () => {
  expect(zoomStep(0.9, 1)).toBe(1);
  expect(zoomStep(1.1, -1)).toBe(1);
  expect(zoomStep(1, 1)).toBe(1.25);
  expect(zoomStep(3.9, 1)).toBe(4);
  expect(zoomStep(0.5, -1)).toBe(0.5);
  expect(isTrueSize(zoomStep(0.9, 1))).toBe(true);
});
