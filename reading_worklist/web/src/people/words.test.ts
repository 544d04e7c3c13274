import { describe, expect, it } from 'vitest';

import type { Person } from './queries';
import { chosen, lacksKey, needsCare } from './words';

const role = (name: Person['roles'][number]['role'], state: Person['roles'][number]['state']) => ({
  organisation_code: 'centre',
  organisation_name: '中心',
  organisation_name_en: '',
  role: name,
  valid_from: '2026-01-01',
  valid_until: null,
  provider: null,
  state,
});

function person(login: string, more: Partial<Person> = {}): Person {
  return {
    id: login,
    login,
    display_name: `${login} 李`,
    active: true,
    waits_until: null,
    one_time_password: false,
    second_factor_since: null,
    last_seen_at: null,
    approved_until: null,
    signing_until: null,
    elsewhere: false,
    roles: [role('dispatcher', 'holds')],
    ...more,
  };
}

describe('the list of people', () => {
  const all = [
    person('a'),
    person('b', { active: false }),
    person('c', { roles: [role('writer', 'ended')] }),
    person('d', { roles: [role('writer', 'holds')] }),
  ];

  it('is filtered by today, by care and by name', () => {
    expect(chosen(all, '', 'all')).toHaveLength(4);
    expect(chosen(all, '', 'now').map((one) => one.login)).toEqual(['a', 'b', 'd']);
    expect(chosen(all, '', 'care').map((one) => one.login)).toEqual(['b', 'd']);
    expect(chosen(all, ' 李', 'all')).toHaveLength(4);
    expect(chosen(all, 'C', 'all').map((one) => one.login)).toEqual(['c']);
  });

  it('cares about a key only of who signs today', () => {
    expect(all.map(lacksKey)).toEqual([false, false, false, true]);
    expect(needsCare(person('e', { roles: [role('reviewer', 'to-come')] }))).toBe(false);
  });
});
