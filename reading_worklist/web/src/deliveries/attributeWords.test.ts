import { expect, it } from 'vitest';

import { attributeWords } from './attributeWords';

it('joins the groups of a name and leaves all else as it is', () => {
  expect(attributeWords('{"Alphabetic": "Zhang^Wei", "Ideographic": "张^伟"}')).toBe('Zhang^Wei=张^伟');
  expect(attributeWords('{"InlineBinary": "AAA="}')).toBe('{"InlineBinary": "AAA="}');
  expect(attributeWords('{broken')).toBe('{broken');
  expect(attributeWords('Chest')).toBe('Chest');
  expect(attributeWords(null)).toBeNull();
});
