import { expect, it } from 'vitest';

import { countOf, filtersFrom, parametersFrom } from './filters';

it('a view is the same after its address was kept', () => {
  const filters = { tab: 'WRITTEN', lane: 'ecg', site: 'QX', text: '王 wang', mine: true, page: 3 } as const;
  expect(filtersFrom(new URLSearchParams(parametersFrom(filters).toString()))).toEqual(filters);
});

it('the standard view has an empty address, and nonsense leads to it', () => {
  const standard = filtersFrom(new URLSearchParams());
  expect(parametersFrom(standard).toString()).toBe('');
  expect(filtersFrom(new URLSearchParams('state=x&lane=y&page=-2&mine=perhaps'))).toEqual(standard);
});

it('tabs that join states count all of them', () => {
  const counts = { QUEUED: 3, RETURNED: 1, DELIVERED: 40 };
  expect([countOf('open', counts), countOf('QUEUED', counts), countOf('done', counts)]).toEqual([4, 3, 40]);
});
