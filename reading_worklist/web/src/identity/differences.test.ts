import { describe, expect, it } from 'vitest';

import { differenceWords, valueWords } from './differences';

describe('differences in words', () => {
  it('say what does not agree and how', () => {
    const difference = { attribute: 'name', finding: 'different', expected: '张伟', found: '章伟' } as const;
    expect(differenceWords('zh-CN', difference)).toBe('姓名不一致');
    expect(differenceWords('en', difference)).toBe('name differs');
    expect(differenceWords('en', { ...difference, attribute: 'order', finding: 'ambiguous' })).toBe(
      'more than one order fits',
    );
  });

  it('give the words of codes, and a dash for nothing', () => {
    expect(valueWords('zh-CN', 'sex', 'F')).toBe('女');
    expect(valueWords('zh-CN', 'sex', 'X')).toBe('X');
    expect(valueWords('en', 'name', null)).toBe('—');
    expect(valueWords('en', 'name', 'M')).toBe('M');
  });
});
