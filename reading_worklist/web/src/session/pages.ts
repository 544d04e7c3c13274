import type { PlainKey } from '../i18n/catalogue';

/** The menus that pages are gathered in where one bar does not hold them all, in their order. */
export const GROUPS = ['reading', 'clinical', 'site', 'desk', 'settings', 'more'] as const;
export type Group = (typeof GROUPS)[number];

interface PageEntry {
  name: PlainKey;
  group: Group;
  /** Whose roles open it. The server decides; this only shows. */
  roles: readonly string[];
  /** Roles that begin their day here. */
  start?: readonly string[];
  /** Stands in the bar itself even where the others of its group are in a menu. */
  inBar?: true;
}

const READERS = ['writer', 'reviewer'] as const;
const ADMINS = ['consortium_admin'] as const;
const KEEPERS = ['dispatcher', 'consortium_admin', 'system_admin'] as const;

/** Every page of the navigation by its address, in order; one with a live count has it in `app/badges.ts`. */
const TABLE = {
  '/worklist': {
    name: 'nav.worklist',
    group: 'reading',
    roles: [...READERS, 'quality_controller', 'dispatcher', 'consortium_admin'],
    start: [...READERS, 'quality_controller', 'dispatcher'],
    inBar: true,
  },
  '/critical': {
    name: 'nav.critical',
    group: 'clinical',
    roles: [...READERS, 'dispatcher', 'quality_controller', 'consortium_admin', 'site_doctor', 'site_technician'],
    inBar: true,
  },
  '/phone': {
    name: 'nav.phone',
    group: 'clinical',
    roles: [...READERS, 'dispatcher', 'consortium_admin', 'site_doctor'],
  },
  '/preliminary': {
    name: 'nav.preliminary',
    group: 'clinical',
    roles: [...READERS, 'dispatcher', 'quality_controller', 'consortium_admin'],
  },
  '/retakes': {
    name: 'nav.retakes',
    group: 'clinical',
    roles: [...READERS, 'dispatcher', 'quality_controller', 'consortium_admin', 'site_doctor', 'site_technician'],
  },
  '/consultations': {
    name: 'nav.consultations',
    group: 'clinical',
    roles: [...READERS, 'dispatcher', 'quality_controller', 'consortium_admin', 'site_doctor', 'expert'],
    start: ['expert'],
  },
  '/chest-pain': {
    name: 'nav.chestPain',
    group: 'clinical',
    roles: [...READERS, 'quality_controller', 'dispatcher', 'consortium_admin', 'regulator'],
  },
  '/board': {
    name: 'nav.board',
    group: 'reading',
    roles: [...READERS, 'quality_controller', 'dispatcher', 'consortium_admin', 'regulator'],
    start: ['regulator'],
  },
  '/portal': {
    name: 'nav.portal',
    group: 'site',
    roles: ['site_doctor', 'site_technician'],
    start: ['site_doctor'],
    inBar: true,
  },
  '/site-exams': { name: 'nav.siteExams', group: 'site', roles: ['site_doctor', 'site_technician'] },
  '/orders': {
    name: 'nav.orders',
    group: 'site',
    roles: ['site_technician', 'site_doctor'],
    start: ['site_technician'],
    inBar: true,
  },
  '/ecg-files': { name: 'nav.ecgFiles', group: 'site', roles: ['site_technician', 'site_doctor'] },
  '/site-statistics': { name: 'nav.siteStatistics', group: 'site', roles: ['site_doctor', 'site_technician'] },
  '/identity': { name: 'nav.identity', group: 'desk', roles: ['dispatcher'], inBar: true },
  '/deliveries': {
    name: 'nav.deliveries',
    group: 'desk',
    roles: [...KEEPERS, 'site_doctor', 'site_technician'],
    start: ['consortium_admin', 'system_admin'],
  },
  '/ledger': {
    name: 'nav.ledger',
    group: 'desk',
    roles: [...KEEPERS, ...READERS, 'site_doctor', 'site_technician', 'auditor'],
  },
  '/destinations': { name: 'nav.destinations', group: 'desk', roles: ['system_admin'] },
  '/site-tests': { name: 'nav.siteTests', group: 'desk', roles: ['consortium_admin', 'system_admin'] },
  '/tokens': { name: 'nav.tokens', group: 'desk', roles: ['consortium_admin', 'system_admin'] },
  '/quarantine': { name: 'nav.quarantine', group: 'desk', roles: KEEPERS },
  '/templates': {
    name: 'nav.templates',
    group: 'settings',
    roles: [...READERS, 'consortium_admin'],
  },
  '/keeping': { name: 'nav.keeping', group: 'desk', roles: KEEPERS },
  '/roster': { name: 'nav.roster', group: 'settings', roles: ['dispatcher', 'consortium_admin'] },
  '/rules': { name: 'nav.rules', group: 'settings', roles: ADMINS },
  '/groups': { name: 'nav.groups', group: 'settings', roles: ADMINS },
  '/procedures': { name: 'nav.procedures', group: 'settings', roles: ADMINS },
  '/clocks': { name: 'nav.clocks', group: 'settings', roles: ADMINS },
  '/ecg-list': { name: 'nav.ecgList', group: 'settings', roles: ADMINS },
  '/calendar': { name: 'nav.calendar', group: 'settings', roles: ADMINS },
  '/people': { name: 'nav.people', group: 'desk', roles: ['consortium_admin', 'system_admin'] },
  '/audit': { name: 'nav.audit', group: 'desk', roles: ['auditor'], start: ['auditor'] },
  '/agreements': { name: 'nav.agreements', group: 'settings', roles: ADMINS },
} as const satisfies Record<`/${string}`, PageEntry>;

export type Page = keyof typeof TABLE;
export const PAGES = Object.keys(TABLE) as readonly Page[];

/** The entry of a page. */
export function entryOf(page: Page): PageEntry {
  return TABLE[page];
}

/** What stands in the bar: a page, or a menu of several. */
export type BarItem = { page: Page } | { group: Group; pages: Page[] };

/** Above this a bar is crowded on a screen of 1024 px. */
const BAR_MAX = 5;

/** Lays pages out in the bar: each for itself while they are few, else by group, and what is alone in its group under "more". */
export function barOf(pages: readonly Page[]): BarItem[] {
  if (pages.length <= BAR_MAX) return pages.map((page) => ({ page }));
  const bar: BarItem[] = [];
  const alone: Page[] = [];
  for (const group of GROUPS) {
    const own = pages.filter((page) => entryOf(page).group === group);
    const inMenu = own.filter((page) => entryOf(page).inBar !== true);
    bar.push(...own.filter((page) => entryOf(page).inBar === true).map((page) => ({ page })));
    if (inMenu.length > 1) bar.push({ group, pages: inMenu });
    else alone.push(...inMenu);
  }
  if (alone.length > 1) return [...bar, { group: 'more', pages: alone }];
  return [...bar, ...alone.map((page) => ({ page }))];
}
