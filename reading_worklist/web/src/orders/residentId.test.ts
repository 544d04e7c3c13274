import { describe, expect, it } from 'vitest';

import { looksLikeResidentId, residentIdOf } from './residentId';

describe('a resident identity number', () => {
  it('tells birth date and sex when its check character is right', () => {
    expect(residentIdOf('11010519491231002x')).toEqual({
      number: '11010519491231002X',
      birthDate: '1949-12-31',
      sex: 'F',
    });
  });

  it('of 15 digits is brought to 18', () => {
    expect(residentIdOf('110105491231002')?.number).toBe('11010519491231002X');
  });

  it.each(['110105194912310021', '11010519491331002X', '1101051949', '', 'abc'])(
    'is refused when wrong: %s',
    (text) => {
      expect(residentIdOf(text)).toBeNull();
    },
  );

  it('is told from names and patient numbers', () => {
    expect(looksLikeResidentId('110105194912310021')).toBe(true);
    expect(looksLikeResidentId('DH20261121')).toBe(false);
  });
});
