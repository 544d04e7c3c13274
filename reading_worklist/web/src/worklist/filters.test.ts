import { describe, expect, it } from 'vitest';

import {
  beyondCount,
  countOf,
  type Filters,
  filtersFrom,
  filtersOf,
  narrowingsOf,
  parametersFrom,
  questionOf,
  sameFilters,
  STANDARD,
  statesOf,
} from './filters';

const NARROW: Filters = {
  tab: 'WRITTEN',
  lane: 'ecg',
  site: 'QX',
  text: '王 wang',
  whose: 'mine',
  groups: ['neuro', 'chest'],
  modalities: ['CT', 'MR'],
  parts: ['head', 'spine'],
  priorities: ['STAT', 'URGENT'],
  days: 7,
  from: '2026-11-01',
  to: '2026-11-22',
  overdue: true,
  escalated: true,
  late: true,
  sort: 'due',
};

const throughAddress = (filters: Filters): Filters =>
  filtersFrom(new URLSearchParams(parametersFrom(filters).toString()));

describe('the address', () => {
  it('keeps every part of a list', () => {
    expect(throughAddress(NARROW)).toEqual(NARROW);
  });

  it('is empty for the standard list, and nonsense leads to it', () => {
    expect(parametersFrom(STANDARD).toString()).toBe('');
    const nonsense = 'state=x&lane=y&whose=perhaps&priority=NOW,&days=-2&from=yesterday&sort=up&overdue=yes&part=tail';
    expect(filtersFrom(new URLSearchParams(nonsense))).toEqual(STANDARD);
  });
});

describe('a kept view', () => {
  it.each([
    ['narrow', NARROW],
    ['standard', STANDARD],
    ['finished', { ...STANDARD, tab: 'done' as const, whose: 'unclaimed' as const, sort: 'newest' as const }],
  ])('gives back the filters it was made of: %s', (_, filters) => {
    expect(filtersOf(questionOf(filters))).toEqual(filters);
    expect(sameFilters(filtersOf(questionOf(filters)), filters)).toBe(true);
  });

  it('asks the server for nothing that is not asked for', () => {
    expect(Object.keys(questionOf(STANDARD))).toEqual(['state']);
    expect(questionOf({ ...STANDARD, parts: ['neck'] }).body_part).toContain('THYROID');
  });
});

describe('what narrows the list', () => {
  it('is taken away one by one until the standard list is left', () => {
    let filters: Filters = { ...NARROW, tab: 'open', sort: null };
    const kinds: string[] = [];
    for (let [next] = narrowingsOf(filters); next !== undefined; [next] = narrowingsOf(filters)) {
      kinds.push(`${next.kind}:${next.value}`);
      filters = { ...filters, ...next.without };
    }
    expect(filters).toEqual(STANDARD);
    expect(kinds).toContain('priority:URGENT');
    expect(kinds).toContain('period:2026-11-01…2026-11-22');
    expect(kinds).toHaveLength(17);
  });

  it('is neither the tab nor the order', () => {
    expect(narrowingsOf({ ...STANDARD, tab: 'done', sort: 'queued' })).toEqual([]);
  });
});

it('tabs that join states count all of them', () => {
  const none = Object.fromEntries([...statesOf('open'), ...statesOf('done')].map((state) => [state, 0]));
  const counts = { ...none, QUEUED: 3, RETURNED: 1, DELIVERED: 40 };
  expect([countOf('open', counts), countOf('QUEUED', counts), countOf('done', counts)]).toEqual([4, 3, 40]);
});

it('a tab with a state that was not counted says no number', () => {
  const counts = Object.fromEntries(statesOf('open').map((state) => [state, 1]));
  expect([countOf('open', counts), countOf('done', counts)]).toEqual([7, null]);
});

describe('a count', () => {
  it.each([
    ['done', STANDARD, true, ''],
    ['done', STANDARD, false, '+'],
    ['QUEUED', STANDARD, false, ''],
    ['QUEUED', { ...STANDARD, overdue: true }, true, ''],
    ['QUEUED', { ...STANDARD, overdue: true }, false, '+'],
    ['open', { ...STANDARD, text: 'li' }, false, '+'],
  ] as const)('says of %s that there is more only where there may be', (tab, filters, exact, sign) => {
    expect(beyondCount(tab, filters, exact)).toBe(sign);
  });
});
