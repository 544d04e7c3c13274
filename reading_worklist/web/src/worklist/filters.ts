import type { Lane, Priority, State, WorklistFilter } from '../api/types';

/** The tabs of the worklist: each is a set of states. */
export const TABS = ['open', 'QUEUED', 'CLAIMED', 'RETURNED', 'WRITTEN', 'REVIEWING', 'HELD', 'done'] as const;
export type Tab = (typeof TABS)[number];

const OPEN: readonly State[] = ['QUEUED', 'CLAIMED', 'RETURNED', 'WRITTEN', 'PRELIM_ISSUED', 'REVIEWING', 'HELD'];
const DONE: readonly State[] = ['FINAL', 'AMENDED', 'PUBLISHED', 'DELIVERED', 'REVOKED', 'ARCHIVED', 'WITHDRAWN'];

export const PRIORITIES = ['STAT', 'URGENT', 'ROUTINE'] as const satisfies readonly Priority[];
export const MODALITIES = ['CT', 'MR', 'DX', 'CR', 'US', 'MG', 'XA', 'RF', 'PX', 'ES', 'NM', 'PT'] as const;
export const WHOSE = ['all', 'mine', 'unclaimed'] as const;
export type Whose = (typeof WHOSE)[number];
export const SORTS = ['urgency', 'due', 'queued', 'newest'] as const;
export type Sort = (typeof SORTS)[number];
/** "Since so many days": today, yesterday too, the week, the month. */
export const PERIODS = [1, 2, 7, 30] as const;

/** Regions as people choose them, each with the Body Part Examined that devices write for it (PS3.16 Annex L). */
export const BODY_PARTS = {
  head: ['HEAD', 'BRAIN', 'SKULL', 'HEADNECK', 'ORBIT', 'SINUS', 'EAR', 'JAW', 'TMJ'],
  neck: ['NECK', 'THYROID', 'LARYNX', 'CAROTID'],
  chest: ['CHEST', 'LUNG', 'THORAX', 'RIB', 'STERNUM', 'CHESTABDOMEN', 'CHESTABDPELVIS'],
  heart: ['HEART', 'CORONARYARTERY', 'AORTA'],
  breast: ['BREAST'],
  abdomen: ['ABDOMEN', 'LIVER', 'KIDNEY', 'PANCREAS', 'GALLBLADDER', 'SPLEEN', 'ABDOMENPELVIS'],
  pelvis: ['PELVIS', 'BLADDER', 'PROSTATE', 'UTERUS', 'HIP'],
  spine: ['SPINE', 'CSPINE', 'TSPINE', 'LSPINE', 'SSPINE', 'COCCYX', 'WHOLESPINE'],
  arm: ['SHOULDER', 'CLAVICLE', 'SCAPULA', 'HUMERUS', 'ELBOW', 'FOREARM', 'WRIST', 'HAND', 'FINGER', 'ARM'],
  leg: ['FEMUR', 'KNEE', 'PATELLA', 'TIBIA', 'LEG', 'ANKLE', 'FOOT', 'CALCANEUS', 'TOE', 'EXTREMITY'],
} as const satisfies Record<string, readonly string[]>;
export type BodyPart = keyof typeof BODY_PARTS;
export const BODY_PART_NAMES = Object.keys(BODY_PARTS) as readonly BodyPart[];

/** The states that a tab shows. */
export function statesOf(tab: Tab): readonly State[] {
  if (tab === 'open') return OPEN;
  return tab === 'done' ? DONE : [tab];
}

/** How many workitems a tab holds, from the counts per state; null where one of them was not counted. */
export function countOf(tab: Tab, counts: Readonly<Partial<Record<State, number>>>): number | null {
  return statesOf(tab).reduce<number | null>((sum, state) => {
    const count = counts[state];
    return sum === null || count === undefined ? null : sum + count;
  }, 0);
}

/** What the worklist shows. It lives in the address, so that a list can be kept, sent and gone back to. */
export interface Filters {
  tab: Tab;
  lane: Lane | null;
  site: string | null;
  text: string;
  whose: Whose;
  groups: readonly string[];
  modalities: readonly string[];
  parts: readonly BodyPart[];
  priorities: readonly Priority[];
  /** Queued since so many calendar days, today is 1. */
  days: number | null;
  /** Queued from and to these days, both included; `2026-11-22`. */
  from: string | null;
  to: string | null;
  overdue: boolean;
  escalated: boolean;
  late: boolean;
  /** null is the usual order: the most urgent first, or of what is done the newest. */
  sort: Sort | null;
}

export const STANDARD: Filters = {
  tab: 'open',
  lane: null,
  site: null,
  text: '',
  whose: 'all',
  groups: [],
  modalities: [],
  parts: [],
  priorities: [],
  days: null,
  from: null,
  to: null,
  overdue: false,
  escalated: false,
  late: false,
  sort: null,
};

/** What follows the count of a tab that holds more than could be counted at once: a plus, or nothing. */
export function beyondCount(tab: Tab, filters: Filters, exact: boolean): '+' | '' {
  const together =
    filters.text.trim() !== '' || filters.parts.length > 0 || filters.overdue || filters.whose === 'unclaimed';
  return !exact && (tab === 'done' || together) ? '+' : '';
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Reads filters from an address; what is not understood asks for nothing. */
export function filtersFrom(parameters: URLSearchParams): Filters {
  const list = (key: string): string[] => (parameters.get(key) ?? '').split(',').filter((one) => one !== '');
  const day = (key: string): string | null => {
    const value = parameters.get(key) ?? '';
    return DAY.test(value) ? value : null;
  };
  const days = Number(parameters.get('days'));
  return {
    tab: oneOf(TABS, parameters.get('state')) ?? 'open',
    lane: oneOf(['imaging', 'ecg'] as const, parameters.get('lane')),
    site: parameters.get('site'),
    text: parameters.get('q') ?? '',
    whose: oneOf(WHOSE, parameters.get('whose')) ?? 'all',
    groups: list('group'),
    modalities: list('modality'),
    parts: known(BODY_PART_NAMES, list('part')),
    priorities: known(PRIORITIES, list('priority')),
    days: Number.isInteger(days) && days > 0 ? days : null,
    from: day('from'),
    to: day('to'),
    overdue: parameters.get('overdue') === '1',
    escalated: parameters.get('escalated') === '1',
    late: parameters.get('late') === '1',
    sort: oneOf(SORTS, parameters.get('sort')),
  };
}

/** Writes filters as the shortest address: what is at its standard is left out. */
export function parametersFrom(filters: Filters): URLSearchParams {
  const parameters = new URLSearchParams();
  const say = (key: string, value: string | null): void => {
    if (value !== null && value !== '') parameters.set(key, value);
  };
  say('state', filters.tab === 'open' ? null : filters.tab);
  say('lane', filters.lane);
  say('site', filters.site);
  say('q', filters.text);
  say('whose', filters.whose === 'all' ? null : filters.whose);
  say('group', filters.groups.join(','));
  say('modality', filters.modalities.join(','));
  say('part', filters.parts.join(','));
  say('priority', filters.priorities.join(','));
  say('days', filters.days === null ? null : String(filters.days));
  say('from', filters.from);
  say('to', filters.to);
  for (const flag of ['overdue', 'escalated', 'late'] as const) say(flag, filters[flag] ? '1' : null);
  say('sort', filters.sort);
  return parameters;
}

/** The same question as the server takes it, and as a view keeps it. */
export function questionOf(filters: Filters): WorklistFilter {
  return {
    state: [...statesOf(filters.tab)],
    ...(filters.lane === null ? {} : { lane: filters.lane }),
    ...(filters.site === null ? {} : { site: filters.site }),
    ...(filters.text === '' ? {} : { q: filters.text }),
    ...(filters.whose === 'mine' ? { mine: true } : {}),
    ...(filters.whose === 'unclaimed' ? { unclaimed: true } : {}),
    ...(filters.groups.length === 0 ? {} : { group: [...filters.groups] }),
    ...(filters.modalities.length === 0 ? {} : { modality: [...filters.modalities] }),
    ...(filters.parts.length === 0 ? {} : { body_part: filters.parts.flatMap((part) => BODY_PARTS[part]) }),
    ...(filters.priorities.length === 0 ? {} : { priority: [...filters.priorities] }),
    ...(filters.days === null ? {} : { days: filters.days }),
    ...(filters.from === null ? {} : { queued_from: filters.from }),
    ...(filters.to === null ? {} : { queued_to: filters.to }),
    ...(filters.overdue ? { overdue: true } : {}),
    ...(filters.escalated ? { escalated: true } : {}),
    ...(filters.late ? { late_instances: true } : {}),
    ...(filters.sort === null ? {} : { sort: filters.sort }),
  };
}

/** The filters of a kept question; of what only the server knows nothing is shown. */
export function filtersOf(question: WorklistFilter): Filters {
  const states = new Set(question.state);
  const words = question.body_part ?? [];
  return {
    tab: TABS.find((tab) => sameSet(statesOf(tab), states)) ?? 'open',
    lane: question.lane ?? null,
    site: question.site ?? null,
    text: question.q ?? '',
    whose: question.mine === true ? 'mine' : question.unclaimed === true ? 'unclaimed' : 'all',
    groups: question.group ?? [],
    modalities: question.modality ?? [],
    parts: BODY_PART_NAMES.filter((part) => BODY_PARTS[part].every((word) => words.includes(word))),
    priorities: question.priority ?? [],
    days: question.days ?? null,
    from: question.queued_from ?? null,
    to: question.queued_to ?? null,
    overdue: question.overdue ?? false,
    escalated: question.escalated ?? false,
    late: question.late_instances ?? false,
    sort: question.sort ?? null,
  };
}

/** Whether two filters ask the same. */
export function sameFilters(a: Filters, b: Filters): boolean {
  return parametersFrom(a).toString() === parametersFrom(b).toString();
}

/** One thing that narrows the list, and the list without it. */
export interface Narrowing {
  kind: 'lane' | 'site' | 'text' | 'whose' | 'group' | 'modality' | 'part' | 'priority' | 'period' | 'flag';
  /** What is asked for, as the address has it. */
  value: string;
  without: Partial<Filters>;
}

/** Everything but the tab and the order that narrows the list, in the order of the bar. */
export function narrowingsOf(filters: Filters): Narrowing[] {
  const found: Narrowing[] = [];
  const add = (kind: Narrowing['kind'], value: string | null, without: Partial<Filters>): void => {
    if (value !== null && value !== '') found.push({ kind, value, without });
  };
  add('text', filters.text, { text: '' });
  add('lane', filters.lane, { lane: null });
  add('site', filters.site, { site: null });
  add('whose', filters.whose === 'all' ? null : filters.whose, { whose: 'all' });
  for (const one of filters.priorities)
    add('priority', one, { priorities: filters.priorities.filter((each) => each !== one) });
  for (const one of filters.modalities)
    add('modality', one, { modalities: filters.modalities.filter((each) => each !== one) });
  for (const one of filters.parts) add('part', one, { parts: filters.parts.filter((each) => each !== one) });
  for (const one of filters.groups) add('group', one, { groups: filters.groups.filter((each) => each !== one) });
  add('period', filters.days === null ? null : String(filters.days), { days: null });
  if (filters.from !== null || filters.to !== null)
    add('period', `${filters.from ?? ''}…${filters.to ?? ''}`, { from: null, to: null });
  for (const flag of ['overdue', 'escalated', 'late'] as const)
    add('flag', filters[flag] ? flag : null, { [flag]: false });
  return found;
}

function oneOf<Word extends string>(words: readonly Word[], value: string | null): Word | null {
  return words.find((word) => word === value) ?? null;
}

function known<Word extends string>(words: readonly Word[], values: readonly string[]): Word[] {
  return words.filter((word) => values.includes(word));
}

function sameSet(a: readonly State[], b: ReadonlySet<State>): boolean {
  return a.length === b.size && a.every((one) => b.has(one));
}
