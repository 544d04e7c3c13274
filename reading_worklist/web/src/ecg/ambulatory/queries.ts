import { keepPreviousData, useQuery } from '@tanstack/react-query';

import { answer, api, fetchDocument } from '../../api/client';
import type { Language } from '../../i18n/catalogue';

export const LINE_SECONDS = [10, 30, 60] as const;
export type LineSeconds = (typeof LINE_SECONDS)[number];

export interface LinesView {
  lead: string;
  line: LineSeconds;
  start: number;
  gain: number;
  filter: string;
}

const parameters = (id: string, instance: string | null) => ({
  params: { path: { workitem_id: id }, query: instance === null ? {} : { instance } },
});

/** What a long record holds, and where its file marks something. */
export function useAmbulatory(id: string, instance: string | null) {
  return useQuery({
    queryKey: ['ecg', id, 'ambulatory', instance],
    queryFn: () => answer(api.GET('/api/workitems/{workitem_id}/ecg/ambulatory', parameters(id, instance))),
    staleTime: Infinity,
  });
}

/** Its overview; the first to ask may wait for it to be made. */
export function useOverview(id: string, instance: string | null) {
  return useQuery({
    queryKey: ['ecg', id, 'overview', instance],
    queryFn: () => answer(api.GET('/api/workitems/{workitem_id}/ecg/ambulatory/overview', parameters(id, instance))),
    staleTime: Infinity,
  });
}

/** A page of lines as SVG text; the former one stays in sight until the new one is there. */
export function useLines(id: string, instance: string | null, view: LinesView, language: Language) {
  const query = new URLSearchParams({
    lead: view.lead,
    line: String(view.line),
    start: String(view.start),
    gain: String(view.gain),
    filter: view.filter,
    language,
  });
  if (instance !== null) query.set('instance', instance);
  const address = `/api/workitems/${id}/ecg/ambulatory/lines.svg?${query.toString()}`;
  return useQuery({
    queryKey: ['ecg', 'trace', address],
    queryFn: async ({ signal }) => (await fetchDocument(address, signal)).text(),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });
}
