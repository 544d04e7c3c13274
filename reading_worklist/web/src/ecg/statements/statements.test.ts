import { expect, it } from 'vitest';

import type { EcgStatement } from '../../api/types';
import { impliedClass, languageOf, matching, saidIn } from './statements';

const one = (id: string, zh: string, en: string, key: string, pinyin: string, rest: Partial<EcgStatement> = {}) => ({
  id,
  group: 'rhythm',
  zh,
  en,
  key,
  pinyin,
  ecg_class: null,
  ...rest,
});
const SINUS = one('sinus', '窦性心律', 'Sinus rhythm', 'dx', 'dou xing xin lv');
const BRADY = one('brady', '窦性心动过缓', 'Sinus bradycardia', 'dh', 'dou xing xin dong guo huan', {
  ecg_class: 'borderline',
});
const AF = one('af', '心房颤动', 'Atrial fibrillation', 'fc', 'xin fang chan dong', { ecg_class: 'abnormal' });
const ALL: EcgStatement[] = [SINUS, BRADY, AF];

it.each([
  ['dx', [SINUS, BRADY]],
  ['dh', [BRADY]],
  ['窦性心动', [BRADY]],
  ['doux', [SINUS, BRADY]],
  ['xfcd', [AF]],
  ['fib', [AF]],
  ['Atrial F', [AF]],
  ['颤', [AF]],
  ['chandong', [AF]],
  ['nothing', []],
  ['', ALL],
] satisfies [string, EcgStatement[]][])('finds %s', (typed, found) => {
  expect(matching(ALL, typed)).toEqual(found);
});

it('puts the short key first', () => {
  expect(matching([one('x', '窦性心动', 'x', 'zz', 'dou xing xin dong'), SINUS], 'dx')[0]).toBe(SINUS);
});

it('reads statements from a text as the server does', () => {
  expect(saidIn(ALL, '1. 窦性心律；2、心房颤动。')).toEqual([SINUS, AF]);
  expect(saidIn(ALL, 'SINUS  rhythm\n不除外心房颤动')).toEqual([SINUS]);
});

it('proposes the class farthest from normal', () => {
  expect(impliedClass([SINUS])).toBeNull();
  expect(impliedClass([SINUS, AF, BRADY])).toBe('abnormal');
});

it('tells the language of a text', () => {
  expect([languageOf('ST抬高'), languageOf('Sinus'), languageOf('12')]).toEqual(['zh-CN', 'en', null]);
});
