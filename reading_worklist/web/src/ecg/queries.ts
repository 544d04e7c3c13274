import { keepPreviousData, useQuery } from '@tanstack/react-query';

import { answer, api, fetchDocument } from '../api/client';
import { keys } from '../api/keys';
import type { EcgRecord } from '../api/types';
import type { Language } from '../i18n/catalogue';
import type { View } from './view';

export function useEcgRecord(id: string, instance: string | null) {
  return useQuery({
    queryKey: keys.ecgRecord(id, instance),
    queryFn: (): Promise<EcgRecord> =>
      answer(
        api.GET('/api/workitems/{workitem_id}/ecg', {
          params: { path: { workitem_id: id }, query: instance === null ? {} : { instance } },
        }),
      ),
    staleTime: Infinity,
  });
}

/** The drawn page as SVG text. The former one stays in sight until the new one is there. */
export function useEcgTrace(id: string, view: View, language: Language) {
  const parameters = new URLSearchParams({
    speed: String(view.speed),
    gain: String(view.gain),
    filter: view.filter,
    start: String(view.start),
    language,
  });
  if (view.layout !== null) parameters.set('layout', view.layout);
  if (view.instance !== null) parameters.set('instance', view.instance);
  const address = `/api/workitems/${id}/ecg/trace.svg?${parameters.toString()}`;
  return useQuery({
    queryKey: keys.ecgTrace(address),
    queryFn: async ({ signal }) => (await fetchDocument(address, signal)).text(),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });
}
