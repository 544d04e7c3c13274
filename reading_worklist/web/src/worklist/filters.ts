import type { Lane, State } from '../api/types';

/** The tabs of the worklist: each is a set of states. */
export const TABS = ['open', 'QUEUED', 'CLAIMED', 'RETURNED', 'WRITTEN', 'REVIEWING', 'HELD', 'done'] as const;
export type Tab = (typeof TABS)[number];

const OPEN: readonly State[] = ['QUEUED', 'CLAIMED', 'RETURNED', 'WRITTEN', 'PRELIM_ISSUED', 'REVIEWING', 'HELD'];
const DONE: readonly State[] = ['FINAL', 'AMENDED', 'PUBLISHED', 'DELIVERED', 'REVOKED', 'ARCHIVED', 'WITHDRAWN'];

/** The states that a tab shows. */
export function statesOf(tab: Tab): readonly State[] {
  if (tab === 'open') return OPEN;
  return tab === 'done' ? DONE : [tab];
}

/** How many workitems a tab holds, from the counts per state. */
export function countOf(tab: Tab, counts: Readonly<Partial<Record<State, number>>>): number {
  return statesOf(tab).reduce((sum, state) => sum + (counts[state] ?? 0), 0);
}

/** What the worklist shows. It lives in the address, so that a view can be kept, sent and gone back to. */
export interface Filters {
  tab: Tab;
  lane: Lane | null;
  site: string | null;
  text: string;
  mine: boolean;
  page: number;
}

/** Reads filters from an address; what is not understood falls back to showing everything open. */
export function filtersFrom(parameters: URLSearchParams): Filters {
  const lane = parameters.get('lane');
  const page = Number(parameters.get('page') ?? '1');
  return {
    tab: TABS.find((tab) => tab === parameters.get('state')) ?? 'open',
    lane: lane === 'imaging' || lane === 'ecg' ? lane : null,
    site: parameters.get('site'),
    text: parameters.get('q') ?? '',
    mine: parameters.get('mine') === '1',
    page: Number.isInteger(page) && page > 0 ? page : 1,
  };
}

/** Writes filters as the shortest address: what is at its default is left out. */
export function parametersFrom(filters: Filters): URLSearchParams {
  const parameters = new URLSearchParams();
  if (filters.tab !== 'open') parameters.set('state', filters.tab);
  if (filters.lane !== null) parameters.set('lane', filters.lane);
  if (filters.site !== null) parameters.set('site', filters.site);
  if (filters.text !== '') parameters.set('q', filters.text);
  if (filters.mine) parameters.set('mine', '1');
  if (filters.page !== 1) parameters.set('page', String(filters.page));
  return parameters;
}

/** Whether anything but the tab narrows the list. */
export function isNarrowed(filters: Filters): boolean {
  return filters.lane !== null || filters.site !== null || filters.text !== '' || filters.mine;
}
