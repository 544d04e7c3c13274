import { describe, expect, it } from 'vitest';

import type { PriorReport, PriorStudy } from '../api/types';
import { comparisonPhrase, quotedImpression } from './phrase';

const prior = {
  study_date: '2025-03-04',
  site: { id: 's', code: 'E', name: '东河镇卫生院', name_en: 'EAST' },
  modalities: ['CT', 'SR'],
  description: '胸部CT平扫',
} as PriorStudy;

describe('what is taken over from a prior', () => {
  it('says with what it was compared, and leaves out what is no image', () => {
    expect(comparisonPhrase('zh-CN', prior)).toBe('与 2025-03-04 东河镇卫生院 CT 胸部CT平扫比较：');
    expect(comparisonPhrase('en', { ...prior, description: null, study_date: null })).toBe(
      'Compared with CT at EAST, undated: ',
    );
  });

  it('quotes the impression on one line', () => {
    const report = { impression: '右肺结节\n 随访' } as PriorReport;
    expect(quotedImpression('zh-CN', prior, report)).toBe(
      '与 2025-03-04 东河镇卫生院 CT 胸部CT平扫比较：原诊断“右肺结节 随访”。',
    );
  });
});
