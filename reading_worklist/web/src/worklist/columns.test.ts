import { expect, it } from 'vitest';

import { chosenColumns, COLUMN_NAMES, columnsFor, FIXED, nextSort, widthOf } from './columns';

it.each([1024, 1280, 1440, 1920])('the usual columns fit a list of %i px', (width) => {
  const shown = columnsFor(width);
  expect(widthOf(shown, width)).toBeLessThanOrEqual(width);
  // What endangers a patient is never what gives way.
  expect(shown).toEqual(expect.arrayContaining([...FIXED, 'marks']));
});

it('what is chosen stands in the order of the page, with what nobody can work without', () => {
  expect(chosenColumns([])).toBeNull();
  expect(chosenColumns(['of a later version'])).toBeNull();
  expect(chosenColumns(['group', 'site', 'nonsense'])).toEqual(
    COLUMN_NAMES.filter((name) => [...FIXED, 'site', 'group'].includes(name)),
  );
});

it('a heading leads through its orders and back to the usual one', () => {
  expect(nextSort('queued', null)).toBe('queued');
  expect(nextSort('queued', 'queued')).toBe('newest');
  expect(nextSort('queued', 'newest')).toBeNull();
  expect(nextSort('due', 'queued')).toBe('due');
  expect(nextSort('patient', null)).toBeNull();
});
