import {
  keepPreviousData,
  type QueryClient,
  queryOptions,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';

import { answer, api, fetchDocument } from '../api/client';
import { keys } from '../api/keys';
import type { EcgAnalyses, EcgCorrections, EcgMeasured, EcgOpening, EcgRecord, EcgSerial } from '../api/types';
import type { Language } from '../i18n/catalogue';
import { medianQuery, STANDARD_VIEW, traceQuery, type View } from './view';

/** Which ECG: of the exam's own study, or of an earlier study that was opened beside it. */
export interface Which {
  instance: string | null;
  prior: string | null;
}

function queryOf({ instance, prior }: Which): { instance?: string; prior?: string } {
  return { ...(instance === null ? {} : { instance }), ...(prior === null ? {} : { prior }) };
}

const recordQuery = (id: string, which: Which) =>
  queryOptions({
    queryKey: keys.ecgRecord(id, which.instance, which.prior),
    queryFn: (): Promise<EcgRecord> =>
      answer(
        api.GET('/api/workitems/{workitem_id}/ecg', {
          params: { path: { workitem_id: id }, query: queryOf(which) },
        }),
      ),
    staleTime: Infinity,
  });

export function useEcgRecord(id: string, which: Which) {
  return useQuery(recordQuery(id, which));
}

/** What else is on a page: the ECG that lies over the median beats, and the point that both share. */
export interface Over {
  against: string | null;
  alignment: 'r' | 'j';
}

/** The address of a drawn page, which names all that it shows. */
export function pageAddress(id: string, view: View, prior: string | null, over: Over, language: Language): string {
  const query = view.page === 'trace' ? traceQuery(view) : medianQuery(view);
  query.set('language', language);
  if (prior !== null) query.set('prior', prior);
  if (view.page === 'median' && over.against !== null) {
    query.set('against', over.against);
    query.set('alignment', over.alignment);
  }
  return `/api/workitems/${id}/ecg/${view.page}.svg?${query.toString()}`;
}

const pageQuery = (id: string, page: View['page'], address: string) =>
  queryOptions({
    queryKey: keys.ecgPage(id, page, address),
    queryFn: async ({ signal }) => (await fetchDocument(address, signal)).text(),
    staleTime: Infinity,
  });

/** A drawn page as SVG text. The former one stays in sight until the new one is there. */
export function useEcgPage(id: string, page: View['page'], address: string) {
  return useQuery({ ...pageQuery(id, page, address), placeholderData: keepPreviousData });
}

/**
 * What we measure on an ECG. With a draft of corrections, what would be measured with them, of which nothing is kept;
 * the former values stay in sight until the new ones are there.
 */
export function useMeasured(id: string, which: Which, draft: EcgCorrections | null) {
  return useQuery({ ...measuredQuery(id, which, draft), placeholderData: keepPreviousData, retry: false });
}

const measuredQuery = (id: string, which: Which, draft: EcgCorrections | null) =>
  queryOptions({
    queryKey: [...keys.ecgMeasured(id), which.instance, which.prior, draft] as const,
    queryFn: ({ signal }): Promise<EcgMeasured> => {
      const params = { path: { workitem_id: id }, query: queryOf(which) };
      const route = '/api/workitems/{workitem_id}/ecg/measured';
      return answer(
        draft === null ? api.GET(route, { params, signal }) : api.POST(route, { params, signal, body: draft }),
      );
    },
    staleTime: Infinity,
  });

/** What has changed since an earlier study's ECG; nothing is asked for while there is none. */
export function useSerial(id: string, instance: string | null, against: string | null) {
  return useQuery({
    queryKey: [...keys.ecgMeasured(id), 'serial', instance, against] as const,
    queryFn: (): Promise<EcgSerial> =>
      answer(
        api.GET('/api/workitems/{workitem_id}/ecg/serial', {
          params: {
            path: { workitem_id: id },
            query: { against: against ?? '', ...(instance === null ? {} : { instance }) },
          },
        }),
      ),
    enabled: against !== null,
    staleTime: Infinity,
  });
}

/** What came of an ECG when it arrived: how well it was recorded, and which rules it meets. */
export function useEcgAnalysis(id: string) {
  return useQuery(analysisQuery(id));
}

const analysisQuery = (id: string) =>
  queryOptions({
    queryKey: keys.ecgAnalysis(id),
    queryFn: (): Promise<EcgAnalyses> =>
      answer(api.GET('/api/workitems/{workitem_id}/ecg/analysis', { params: { path: { workitem_id: id } } })),
  });

const FIRST: Which = { instance: null, prior: null };
const NOT_OVER: Over = { against: null, alignment: 'r' };

/** Keeps the first view of an ECG where its page looks for it, so that the page asks for nothing. */
export function keepFirstView(client: QueryClient, id: string, language: Language, opening: EcgOpening): void {
  const address = pageAddress(id, STANDARD_VIEW, null, NOT_OVER, language);
  client.setQueryData(recordQuery(id, FIRST).queryKey, opening.record);
  client.setQueryData(pageQuery(id, 'trace', address).queryKey, opening.page);
  client.setQueryData(analysisQuery(id).queryKey, opening.analysis);
  client.setQueryData(measuredQuery(id, FIRST, null).queryKey, opening.measured);
}

/** Keeps markers with the name of who set them; everything that goes by them is asked for anew. */
export function useKeepCorrections(id: string, instance: string | null) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: EcgCorrections): Promise<EcgAnalyses> =>
      answer(
        api.PUT('/api/workitems/{workitem_id}/ecg/measured', {
          params: { path: { workitem_id: id }, query: instance === null ? {} : { instance } },
          body,
        }),
      ),
    onSuccess: async (analyses) => {
      client.setQueryData(keys.ecgAnalysis(id), analyses);
      await Promise.all([
        client.invalidateQueries({ queryKey: keys.ecgMeasured(id) }),
        client.invalidateQueries({ queryKey: keys.ecgMedians(id) }),
      ]);
    },
  });
}
