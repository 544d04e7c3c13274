import { describe, expect, it } from 'vitest';

import { dark, light, type Palette } from './palette';

type Colour = keyof Palette;

/** WCAG 2.2, 1.4.3: text below 18 pt; 1.4.11: what tells a control from what is around it. */
const TEXT = 4.5;
const SHAPE = 3;

const GROUNDS = ['surface', 'canvas', 'raised', 'hover', 'selected'] as const satisfies readonly Colour[];
const TINTS = [
  'redTint',
  'amberTint',
  'greenTint',
  'blueTint',
  'violetTint',
  'slateTint',
] as const satisfies readonly Colour[];

/** What is written on what. */
const WRITTEN: readonly [Colour, readonly Colour[]][] = [
  ['ink', [...GROUNDS, ...TINTS]],
  ['muted', [...GROUNDS, ...TINTS]],
  ['accent', [...GROUNDS, ...TINTS]],
  ['accentStrong', GROUNDS],
  ['red', [...GROUNDS, 'redTint']],
  ['amber', [...GROUNDS, 'amberTint']],
  ['green', [...GROUNDS, 'greenTint']],
  ['blue', [...GROUNDS, 'blueTint']],
  ['violet', [...GROUNDS, 'violetTint']],
  ['slate', [...GROUNDS, 'slateTint']],
  ['onAccent', ['accent', 'accentStrong']],
  ['onHeader', ['header', 'headerLine']],
  ['onHeaderMuted', ['header', 'headerLine']],
];

/** What is told from what by its outline alone. */
const DRAWN: readonly [Colour, readonly Colour[]][] = [
  ['control', ['surface', 'canvas', 'raised']],
  ['focus', [...GROUNDS, ...TINTS, 'header']],
];

describe.each([
  ['light', light],
  ['dark', dark],
])('%s', (_look, palette) => {
  it.each(pairs(WRITTEN))('%s is read on %s', (text, ground) => {
    expect(contrast(palette[text], palette[ground])).toBeGreaterThanOrEqual(TEXT);
  });

  it.each(pairs(DRAWN))('%s is seen on %s', (shape, ground) => {
    expect(contrast(palette[shape], palette[ground])).toBeGreaterThanOrEqual(SHAPE);
  });

  it('white is read on solid red', () => {
    expect(contrast('#ffffff', palette.redSolid)).toBeGreaterThanOrEqual(TEXT);
  });
});

it('contrast is as WCAG defines it', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
});

function pairs(table: readonly [Colour, readonly Colour[]][]): [Colour, Colour][] {
  return table.flatMap(([text, grounds]) => grounds.map((ground): [Colour, Colour] => [text, ground]));
}

function contrast(one: string, other: string): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
