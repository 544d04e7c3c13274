import { describe, expect, it } from 'vitest';

import { filterOf, parametersOf, toQuery } from './filter';

describe('what an auditor asks for', () => {
  it('goes into the address and back', () => {
    const asked = { subject: 'report', login: 'li', object: '', since: '2026-11-01', until: '' };
    expect(filterOf(new URLSearchParams(parametersOf(asked)))).toEqual(asked);
    expect(parametersOf(asked)).toEqual({ subject: 'report', login: 'li', since: '2026-11-01' });
  });

  it('asks the server for whole days, the last one included', () => {
    const query = toQuery(filterOf(new URLSearchParams('since=2026-11-30&until=2026-11-30&login= LI ')));
    expect(query.login).toBe('li');
    const day = new Date(query.until ?? '').getTime() - new Date(query.since ?? '').getTime();
    expect(day).toBe(24 * 3600 * 1000);
    expect(new Date(query.since ?? '').getDate()).toBe(30);
  });

  it('asks for everything where nothing is given', () => {
    expect(toQuery(filterOf(new URLSearchParams()))).toEqual({});
  });
});
