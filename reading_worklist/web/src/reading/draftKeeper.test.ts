import { expect, it } from 'vitest';

import { MemoryStore } from '../api/localKeeper.testing';
import type { DraftContent } from '../api/types';
import { DraftKeeper, sameContent } from './draftKeeper';

const TEXT: DraftContent = {
  findings: '双肺清晰',
  impression: '',
  advice: '',
  comparison: '',
  addendum: '',
  codes: {},
  template_id: null,
  ecg: { statements: [], confirmed: {} },
};

it('keeps a text for its exam and its doctor alone', () => {
  const store = new MemoryStore();
  new DraftKeeper(store, 'exam', 'li').keep(TEXT, 3);
  expect(new DraftKeeper(store, 'exam', 'li').read()).toMatchObject({ content: TEXT, revision: 3 });
  expect(new DraftKeeper(store, 'exam', 'wang').read()).toBeNull();
  expect(new DraftKeeper(store, 'other', 'li').read()).toBeNull();
  new DraftKeeper(store, 'exam', 'li').clear();
  expect(store.length).toBe(0);
});

it('says when there is no room, and reads nothing out of what is no draft', () => {
  const store = new MemoryStore();
  store.setItem('rdc.draft.li.exam', '{"content":');
  store.setItem('rdc.report-panel-width', '480');
  const keeper = new DraftKeeper(store, 'exam', 'li');
  expect(keeper.read()).toBeNull();
  expect(store.getItem('rdc.report-panel-width')).toBe('480');
  store.full = true;
  expect(keeper.keep(TEXT, 1)).toBe(false);
});

it('drops what is older than a week', () => {
  const store = new MemoryStore();
  new DraftKeeper(store, 'exam', 'li', () => 0).keep(TEXT, 1);
  new DraftKeeper(store, 'other', 'li', () => 8 * 24 * 3_600_000);
  expect(store.length).toBe(0);
});

it('compares what is said, not how it is stored', () => {
  expect(sameContent(TEXT, { ...TEXT, codes: { bi_rads: null }, template_id: 'x' })).toBe(true);
  expect(sameContent(TEXT, { ...TEXT, codes: { bi_rads: '2' } })).toBe(false);
});
