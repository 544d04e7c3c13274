import { describe, expect, it } from 'vitest';

import { barOf, entryOf, type Page, PAGES } from './pages';

const ROLES = [...new Set(PAGES.flatMap((page) => entryOf(page).roles))];
const NARROW_MAX = 6;

describe('the bar', () => {
  it.each(ROLES)('shows a %s every page, and never more than a narrow screen holds', (role) => {
    const pages = PAGES.filter((page) => entryOf(page).roles.includes(role));
    const bar = barOf(pages);
    const shown = bar.flatMap((item) => ('page' in item ? [item.page] : item.pages));
    expect([...shown].sort()).toEqual([...pages].sort());
    expect(bar.length).toBeLessThanOrEqual(NARROW_MAX);
  });

  it('makes no menu of a single page, nor while pages are few', () => {
    const few: Page[] = ['/worklist', '/deliveries', '/quarantine'];
    expect(barOf(few)).toEqual(few.map((page) => ({ page })));
    for (const role of ROLES) {
      const bar = barOf(PAGES.filter((page) => entryOf(page).roles.includes(role)));
      expect(bar.every((item) => 'page' in item || item.pages.length > 1)).toBe(true);
    }
  });

  it('lets everybody who begins on a page open it', () => {
    for (const page of PAGES) {
      const { roles, start = [] } = entryOf(page);
      expect(roles, page).toEqual(expect.arrayContaining([...start]));
    }
  });
});
