import { describe, expect, it } from 'vitest';

import type { RetentionRule } from '../api/types';
import { bySite, decidesKeeping } from './rules';

const rule = (site: string, visit_kind: RetentionRule['visit_kind'], years: number): RetentionRule => ({
  site_id: site,
  site_code: site,
  site_name: site,
  site_name_en: '',
  visit_kind,
  years,
  minimum: 15,
});

describe('retention rules', () => {
  it('make one line of a site, in the order they came', () => {
    const lines = bySite([rule('W', 'outpatient', 15), rule('E', 'outpatient', 20), rule('W', 'inpatient', 30)]);
    expect(lines.map((line) => line.site_code)).toEqual(['W', 'E']);
    expect(lines[0]?.rules.inpatient?.years).toBe(30);
    expect(lines[1]?.rules.inpatient).toBeUndefined();
  });

  it('are changed by administrators', () => {
    expect(decidesKeeping(['dispatcher'])).toBe(false);
    expect(decidesKeeping(['dispatcher', 'system_admin'])).toBe(true);
  });
});
