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
  '/identity': {
    key: [...keys.identity, 'waiting'],
    count: async () =>
      (await answer(api.GET('/api/identity/cases', { params: { query: { state: 'OPEN', page: 1 } } }))).open,
  },
};
