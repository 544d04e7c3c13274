import { type QueryClient, queryOptions } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { WorkitemDetail } from '../api/types';
import { keepFirstView } from '../ecg/queries';
import type { Language } from '../i18n/catalogue';

async function openExam(client: QueryClient, id: string, language: Language): Promise<WorkitemDetail> {
  const params = { path: { workitem_id: id }, query: { language } };
  const { workitem, ecg } = await answer(api.GET('/api/workitems/{workitem_id}/opening', { params }));
  if (ecg !== null) keepFirstView(client, id, language, ecg);
  return workitem;
}

/** An exam: the first time with the first view of its ECG in the same answer, after that what may have changed. */
export function examQuery(client: QueryClient, id: string, language: Language) {
  return queryOptions({
    queryKey: keys.workitem(id),
    queryFn: (): Promise<WorkitemDetail> =>
      client.getQueryData(keys.workitem(id)) === undefined
        ? openExam(client, id, language)
        : answer(api.GET('/api/workitems/{workitem_id}', { params: { path: { workitem_id: id } } })),
  });
}

/** Asks for an exam that is about to be opened, unless it is here already; its page says what went wrong. */
export function prepareExam(client: QueryClient, id: string, language: Language): void {
  client.query({ ...examQuery(client, id, language), staleTime: Infinity }).catch(() => undefined);
}
