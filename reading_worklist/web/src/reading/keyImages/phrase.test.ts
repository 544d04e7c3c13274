import { describe, expect, it } from 'vitest';

import type { Measurement } from '../../api/types';
import { measurementPhrase, shortNumber } from './phrase';

const MEASURED: Measurement = {
  report: '1.2',
  stored_at: '2026-11-22T08:00:00Z',
  tracking_identifier: 'Bidirectional',
  tracking_uid: '1.2.3',
  finding: { scheme: '', value: '', meaning: '右肺上叶结节' },
  site: null,
  values: [
    { concept: { scheme: 'SCT', value: '103339001', meaning: 'Long Axis' }, value: '12.3456', unit: 'mm' },
    { concept: { scheme: '99', value: 'X', meaning: 'Sphericity' }, value: '0.9', unit: '1' },
  ],
  image: {
    sop_instance_uid: '1.4',
    series_number: 3,
    instance_number: 47,
    frame_number: 1,
    frame_count: 1,
    picture_url: '/p',
  },
};

describe('a measurement in the findings', () => {
  it('says what, how large and where, in both languages', () => {
    expect(measurementPhrase('zh-CN', MEASURED)).toBe('右肺上叶结节：长径 12.3 mm，Sphericity 0.9（序列 3 图像 47）。');
    expect(measurementPhrase('en', { ...MEASURED, finding: null })).toBe(
      'Long axis 12.3 mm, Sphericity 0.9 (series 3 image 47).',
    );
  });

  it('has no place without an image', () => {
    expect(measurementPhrase('zh-CN', { ...MEASURED, image: null, values: [] })).toBe('右肺上叶结节。');
  });

  it('gives no more places than a report does', () => {
    expect(['12.3456', '8', '345.67', '-412.2', 'x'].map(shortNumber)).toEqual(['12.3', '8', '346', '-412', 'x']);
  });
});
