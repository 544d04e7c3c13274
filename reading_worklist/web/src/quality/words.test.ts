import { describe, expect, it } from 'vitest';

import { adviceOf, detailOf, headlineOf, seriesName } from './words';

const missing = {
  code: 'missing_slices' as const,
  parameters: {
    count: 3,
    items: [
      { from: 30, to: 35, slices: 1, after: 19, before: 17 },
      { from: 50, to: 57.5, slices: 2, after: 9, before: 12 },
    ],
    spacing: 2.5,
  },
};

describe('quality notes in words', () => {
  it('say what is missing and where, in both languages', () => {
    expect(headlineOf('zh-CN', missing)).toBe('缺少 3 层');
    expect(detailOf('zh-CN', missing)).toBe('第 9 与 12 层之间、第 17 与 19 层之间、层距 2.5 mm');
    expect(headlineOf('en', missing)).toBe('Slices missing: 3');
    expect(detailOf('en', missing)).toBe('between 9 and 12, between 17 and 19, spacing 2.5 mm');
  });

  it('name places where slices have no numbers', () => {
    const items = [{ from: -4, to: 6, slices: 1 }];
    expect(detailOf('en', { ...missing, parameters: { count: 1, items } })).toBe('between -4 and 6 mm');
    expect(detailOf('en', { code: 'doubled_slices', parameters: { count: 1, items: [{ position: 2.5 }] } })).toBe(
      'at 2.5 mm',
    );
  });

  it('name the first few of many', () => {
    const items = Array.from({ length: 9 }, (_, index) => ({ number: index + 1 }));
    expect(detailOf('en', { code: 'blank_slices', parameters: { count: 9, items } })).toBe(
      'no. 1, 2, 3, 4, 5, 6 and others',
    );
  });

  it('stand without details', () => {
    expect(detailOf('en', { code: 'unreadable', parameters: { count: 1 } })).toBe('');
    expect(adviceOf('en', 'gantry_tilt')).toBeNull();
  });

  it('call a series by number and description', () => {
    expect(seriesName('en', { number: 3, description: 'Chest' })).toBe('Series 3 · Chest');
    expect(seriesName('en', { number: null, description: null })).toBe('Series without number');
  });
});
