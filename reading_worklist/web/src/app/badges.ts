import type { QueryKey } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { Page } from '../session/pages';

/** How much waits on a page: asked again when what its key begins with is renewed. */
export interface Badge {
  key: QueryKey;
  count: () => Promise<number>;
}

/** The live counts beside the names of pages. */
export const BADGES: Partial<Record<Page, Badge>> = {
  '/critical': {
    key: [...keys.critical, 'waiting'],
    count: async () => (await answer(api.GET('/api/critical-values', { params: { query: { page_size: 1 } } }))).open,
  },
  '/retakes': {
    key: [...keys.retakes, 'waiting'],
    count: async () => (await answer(api.GET('/api/retakes', { params: { query: { page_size: 1 } } }))).waiting,
  },
  '/consultations': {
    key: [...keys.consultations, 'waiting'],
    count: async () => (await answer(api.GET('/api/consultations', { params: { query: { page_size: 1 } } }))).waiting,
  },
  '/preliminary': {
    key: [...keys.preliminary, 'waiting'],
    count: async () =>
      (await answer(api.GET('/api/preliminary-reports', { params: { query: { page_size: 1 } } }))).late,
  },
  '/identity': {
    key: [...keys.identity, 'waiting'],
    count: async () =>
      (await answer(api.GET('/api/identity/cases', { params: { query: { state: 'OPEN', page: 1 } } }))).open,
  },
};
