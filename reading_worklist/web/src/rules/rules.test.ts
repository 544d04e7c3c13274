import { describe, expect, it } from 'vitest';

import { changes, moved, sameRules } from './draft';
import { EMPTY_RULE, type Rule } from './queries';
import { sentenceOf, type Words } from './sentence';

const WORDS: Words = {
  sites: [{ code: 'EAST', name: '东河镇卫生院', name_en: 'East site' }],
  groups: [{ code: 'neuro', name: '神经组', name_en: 'Neuro' }],
  clocks: [{ clock: 'head_ct', priority: 'STAT', due_minutes: 30 }],
};

function rule(name: string, when: Partial<Rule['when']> = {}, then: Partial<Rule['then']> = {}): Rule {
  return { ...EMPTY_RULE, name, when: { ...EMPTY_RULE.when, ...when }, then: { ...EMPTY_RULE.then, ...then } };
}

describe('a rule read aloud', () => {
  const night = rule(
    'n',
    {
      sites: ['EAST'],
      modalities: ['CT'],
      priorities: ['STAT'],
      windows: [{ begins: '22:00:00', ends: '08:00:00' }],
    },
    { lane: 'imaging', group: 'neuro', priority: 'STAT', clock: 'head_ct', assign: true },
  );

  it('names what it asks and what it does, with the due time where that is known', () => {
    expect(sentenceOf('en', night, WORDS)).toEqual({
      when: 'from East site, CT, STAT, 22:00–08:00',
      then: 'lane Imaging, group Neuro, priority STAT, due as Head CT, due in 30 min, assigned automatically',
    });
    expect(sentenceOf('zh-CN', night, WORDS).when).toBe('来自东河镇卫生院，CT，急诊，22:00–08:00');
  });

  it('says so when it asks nothing and changes nothing, and keeps codes it does not know', () => {
    expect(sentenceOf('en', rule('x'), WORDS)).toEqual({ when: 'Every exam', then: 'nothing changes' });
    expect(sentenceOf('en', rule('x', { sites: ['GONE'] }, { group: 'old' }), WORDS)).toEqual({
      when: 'from GONE',
      then: 'group old',
    });
  });
});

describe('a draft', () => {
  const [a, b, c] = [rule('a'), rule('b'), rule('c')];

  it('tells what is new, changed, moved or gone, and calls as few as possible moved', () => {
    expect(changes([a, b, c], [c, a, { ...b, enabled: false }, rule('d')])).toEqual([
      { kind: 'moved', name: 'c' },
      { kind: 'changed', name: 'b' },
      { kind: 'added', name: 'd' },
    ]);
    expect(changes([a, b], [b])).toEqual([{ kind: 'removed', name: 'a' }]);
    expect(changes([a, b], [a, b])).toEqual([]);
  });

  it('is the same whatever the order of its members, and moves nothing over its ends', () => {
    const same = { then: a.then, when: a.when, enabled: a.enabled, name: a.name };
    expect(sameRules([a], [same])).toBe(true);
    expect(moved([a, b], 0, 1)).toEqual([b, a]);
    expect(moved([a, b], 0, -1)).toEqual([a, b]);
  });
});
