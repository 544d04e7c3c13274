import { expect, it } from 'vitest';

import { ALL_EXAMS, filtersFrom, isNarrowed, parametersFrom } from './filters';

it('an address holds the filters and gives them back', () => {
  const filters = { text: '张', step: 'queued', modality: 'CT', needs: 'late', page: 3 } as const;
  expect(filtersFrom(parametersFrom(filters))).toEqual(filters);
  expect(parametersFrom(ALL_EXAMS).toString()).toBe('');
  expect(isNarrowed(ALL_EXAMS)).toBe(false);
});

it('what an address should not hold is left out', () => {
  expect(filtersFrom(new URLSearchParams('step=x&needs=y&modality=z&page=-1'))).toEqual(ALL_EXAMS);
});
