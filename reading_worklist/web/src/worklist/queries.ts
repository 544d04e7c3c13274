import {
  keepPreviousData,
  useMutation,
  useQueries,
  useQuery,
  useQueryClient,
  type QueryClient,
  type UseQueryResult,
} from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';

import { answer, api } from '../api/client';
import { live } from '../api/events';
import { keys } from '../api/keys';
import { throttled } from '../api/throttle';
import type {
  Preferences,
  ReadingGroup,
  SavedView,
  Site,
  ViewBody,
  WorkitemPage,
  WorklistFilter,
  WorklistLine,
} from '../api/types';
import { mayEnter } from './concern';
import { type Filters, questionOf } from './filters';

/** So many rows come with one request. */
export const CHUNK = 100;

const ROWS = [...keys.workitems, 'rows'];
const PATCH_DELAY = 50;
const PATCH_INTERVAL = 150;
const VIEWS_INTERVAL = 4_000;

/** The rows of a list that are here now, by their place in the whole list. */
export interface Rows {
  total: number;
  at: (index: number) => WorklistLine | undefined;
  indexOf: (id: string) => number | undefined;
}

/** Chunks of rows, both included. */
export interface Range {
  first: number;
  last: number;
}

type Chunks = ReadonlyMap<number, readonly WorklistLine[]>;

function chunkQuery(question: ReturnType<typeof questionOf>, chunk: number) {
  const query = { ...question, page: chunk + 1, page_size: CHUNK };
  return {
    queryKey: [...ROWS, query],
    queryFn: ({ signal }: { signal: AbortSignal }) => answer(api.GET('/api/workitems', { params: { query }, signal })),
    // Events bring changes at once; this finds what an interrupted connection missed.
    refetchInterval: 60_000,
  };
}

/**
 * The first rows of the worklist under some filters, which say how many there are.
 * While another list loads the old one stays, so that nothing jumps.
 */
export function useHead(filters: Filters) {
  const question = useMemo(() => questionOf(filters), [filters]);
  return useQuery({ ...chunkQuery(question, 0), placeholderData: keepPreviousData });
}

/** The worklist under some filters: its first rows, and those of some chunks. */
export function useWorklist(filters: Filters, range: Range) {
  const question = useMemo(() => questionOf(filters), [filters]);
  const head = useHead(filters);
  const total = head.data?.total ?? 0;
  const settled = !head.isPlaceholderData;
  const from = Math.max(1, range.first);
  const to = Math.min(Math.max(0, Math.ceil(total / CHUNK) - 1), range.last);
  const wanted = useMemo(
    () => (settled ? Array.from({ length: Math.max(0, to - from + 1) }, (_, place) => from + place) : []),
    [settled, from, to],
  );
  const rest = useQueries({ queries: wanted.map((chunk) => chunkQuery(question, chunk)), combine: together });
  const first = head.data;
  const rows = useMemo(() => rowsOf(total, first, rest.pages), [total, first, rest.pages]);
  return { head, rows, failed: head.error ?? rest.failed };
}

function together(answers: UseQueryResult<WorkitemPage>[]) {
  return {
    // Not a plain list: the query client would compare every row of each with the one before.
    pages: new Map(answers.flatMap(({ data }) => (data === undefined ? [] : [[data.page - 1, data.items]]))),
    failed: answers.find((one) => one.isError)?.error ?? null,
  };
}

function rowsOf(total: number, first: WorkitemPage | undefined, pages: Chunks): Rows {
  const chunks = new Map([[0, first?.items ?? []], ...pages]);
  return { total, at: (index) => rowAt(chunks, index), indexOf: (id) => placeOf(chunks, id) };
}

function rowAt(chunks: Chunks, index: number): WorklistLine | undefined {
  return chunks.get(Math.floor(index / CHUNK))?.[index % CHUNK];
}

function placeOf(chunks: Chunks, id: string): number | undefined {
  for (const [chunk, items] of chunks) {
    const place = items.findIndex((item) => item.id === id);
    if (place >= 0) return chunk * CHUNK + place;
  }
  return undefined;
}

/** Tells whether a list that is on the screen has a row. */
function hasRow(client: QueryClient, id: string): boolean {
  return client
    .getQueriesData<WorkitemPage>({ queryKey: ROWS, type: 'active' })
    .some(([, page]) => page?.items.some((item) => item.id === id));
}

/**
 * Whether a changed row is to be looked for at once: a list on the screen may have got it, or its list is being asked
 * for, with an answer that may be older. Where lists have the row, its line has changed it already; where they have it
 * neither before nor now, only their counts change.
 */
export function mayBeNew(client: QueryClient, line: WorklistLine, me: string | null): boolean {
  if (client.isFetching({ queryKey: ROWS }) > 0) return true;
  if (hasRow(client, line.id)) return false;
  const shown = client.getQueryCache().findAll({ queryKey: ROWS, type: 'active' });
  return (
    shown.length === 0 || shown.some(({ queryKey }) => mayEnter(queryKey[ROWS.length] as WorklistFilter, line, me))
  );
}

function putRows(client: QueryClient, lines: readonly WorklistLine[]): void {
  const byId = new Map(lines.map((line) => [line.id, line]));
  client.setQueriesData<WorkitemPage>({ queryKey: ROWS, type: 'active' }, (page) =>
    page?.items.some((item) => byId.has(item.id)) !== true
      ? page
      : { ...page, items: page.items.map((item) => byId.get(item.id) ?? item) },
  );
}

/**
 * Changes single rows in place as soon as an event tells how they are now, before the list itself is asked for again.
 * Rows that the page does not have are left to the list.
 */
export function useRowPatches(): void {
  const client = useQueryClient();
  useEffect(() => {
    const changed = new Set<string>();
    const patch = async (): Promise<void> => {
      const ids = [...changed].filter((id) => hasRow(client, id));
      changed.clear();
      if (ids.length === 0) return;
      putRows(client, await answer(api.GET('/api/worklist/lines', { params: { query: { id: ids } } })));
    };
    // What this misses the list brings a moment later.
    const patches = throttled(() => patch().catch(() => undefined), PATCH_DELAY, PATCH_INTERVAL);
    const leave = live.subscribe((event) => {
      if (event.kind !== 'workitem') return;
      if (event.line !== null) {
        putRows(client, [event.line]);
        return;
      }
      changed.add(event.id);
      patches.run();
    });
    return () => {
      leave();
      patches.cancel();
    };
  }, [client]);
}

const NO_SITES: readonly Site[] = [];
const NO_GROUPS: readonly ReadingGroup[] = [];

/** The sites that send to this centre: the choices of the site filter. */
export function useSites(): readonly Site[] {
  const sites = useQuery({
    queryKey: keys.sites,
    queryFn: () => answer(api.GET('/api/sites')),
    staleTime: Infinity,
  });
  return sites.data ?? NO_SITES;
}

/** The groups in use that studies are read in. */
export function useReadingGroups(): readonly ReadingGroup[] {
  const groups = useQuery({
    queryKey: keys.readingGroups,
    queryFn: () => answer(api.GET('/api/reading-groups')),
    select: (all) => all.filter((group) => group.active),
    staleTime: 60_000,
  });
  return groups.data ?? NO_GROUPS;
}

/** Who reads, with what they have to do already. */
export function useReaders() {
  return useQuery({ queryKey: keys.readers, queryFn: () => answer(api.GET('/api/readers')), staleTime: 0 });
}

/** One's own views and those shared with one; their counts follow the list, but not at every step. */
export function useViews() {
  const client = useQueryClient();
  useEffect(() => {
    const renew = throttled(
      () => client.invalidateQueries({ queryKey: keys.views }),
      VIEWS_INTERVAL / 4,
      VIEWS_INTERVAL,
    );
    const leave = live.subscribe((event) => {
      if (event.kind !== 'workitem' && event.kind !== 'resync') return;
      // Most people have none, whose counts nobody has to ask for.
      if (client.getQueryData<SavedView[]>(keys.views)?.length !== 0) renew.run();
    });
    return () => {
      leave();
      renew.cancel();
    };
  }, [client]);
  return useQuery({
    queryKey: keys.views,
    queryFn: () => answer(api.GET('/api/worklist/views')),
    refetchInterval: 60_000,
  });
}

export type ViewChange = { id: null; body: ViewBody } | { id: string; body: ViewBody | null };

/** Keeps a new view, changes one, or forgets it (no body). */
export function useChangeView() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, body }: ViewChange): Promise<SavedView[] | null> => {
      if (id === null) return await answer(api.POST('/api/worklist/views', { body }));
      const params = { path: { view_id: id } };
      if (body !== null) return await answer(api.PUT('/api/worklist/views/{view_id}', { params, body }));
      await answer(api.DELETE('/api/worklist/views/{view_id}', { params }));
      return null;
    },
    onSuccess: (views) => {
      if (views !== null) client.setQueryData(keys.views, views);
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['worklist'] }),
  });
}

/** How this person likes the list: the view that it opens with, and its columns. */
export function usePreferences() {
  return useQuery({
    queryKey: keys.preferences,
    queryFn: () => answer(api.GET('/api/worklist/preferences')),
    staleTime: Infinity,
  });
}

/** Keeps how this person likes the list; the page shows it at once. */
export function usePrefer() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Preferences) => answer(api.PUT('/api/worklist/preferences', { body })),
    onMutate: (body) => client.setQueryData(keys.preferences, body),
    onSettled: () => client.invalidateQueries({ queryKey: keys.preferences }),
  });
}
