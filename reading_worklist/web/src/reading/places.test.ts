import { expect, it } from 'vitest';

import type { Snippet } from '../api/types';
import { expanded, lengthAfterPaste, nextPlace, openPlaces, shortcutAt, snippetOf } from './places';

const TEXT = { findings: '右肺结节，约 {大小 mm}，位于____。', impression: '结节 {分类}', advice: '' };

it('finds every open place in the order of the paper', () => {
  expect(openPlaces(TEXT).map(({ field, start, end }) => TEXT[field].slice(start, end))).toEqual([
    '{大小 mm}',
    '____',
    '{分类}',
  ]);
  expect(openPlaces({ findings: '{}\n{ 跨行\n}', impression: '', advice: '_' })).toHaveLength(1);
});

it('goes from place to place and begins again after the last', () => {
  const first = nextPlace(TEXT, null);
  expect(first).toMatchObject({ field: 'findings', start: 7 });
  expect(nextPlace(TEXT, { field: 'findings', at: 14 })).toMatchObject({ start: 17 });
  expect(nextPlace(TEXT, { field: 'findings', at: 21 })).toMatchObject({ field: 'impression' });
  expect(nextPlace(TEXT, { field: 'advice', at: 0 })).toEqual(first);
  expect(nextPlace({ findings: '', impression: '', advice: '' }, null)).toBeNull();
});

it('expands a shortcut before the caret, typed with either semicolon', () => {
  expect(shortcutAt('双肺 ;chest', 9)).toBe('chest');
  expect(shortcutAt('双肺；胸', 4)).toBe('胸');
  expect(shortcutAt('a; chest', 8)).toBeNull();
  expect(expanded('x;lin y', 5, 'lin', '请结合临床。')).toEqual({ text: 'x请结合临床。 y', caret: 7 });
});

it("takes one's own snippet before a shared one", () => {
  const one = (text: string, mine: boolean): Snippet => ({ id: text, shortcut: 'Lin', text, mine });
  expect(snippetOf([one('shared', false), one('own', true)], 'lin')?.text).toBe('own');
  expect(snippetOf([], 'lin')).toBeNull();
});

it('counts what a paste replaces', () => {
  expect(lengthAfterPaste(100, 40, 1_000_000)).toBe(1_000_060);
});
