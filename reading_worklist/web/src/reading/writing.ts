import { keepPreviousData, useQuery } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { FilledText } from '../api/types';

const path = (id: string) => ({ params: { path: { workitem_id: id } } });

/** The templates and codes for an exam; what its template requires follows the saved draft. */
export function useWritingAids(id: string, templateId: string | null) {
  return useQuery({
    queryKey: [...keys.workitem(id), 'aids', templateId],
    queryFn: () => answer(api.GET('/api/workitems/{workitem_id}/writing-aids', path(id))),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

/** Asks the checks now, whatever the page shows. */
export function fetchChecks(id: string) {
  return answer(api.GET('/api/workitems/{workitem_id}/checks', path(id)));
}

/** What the checks find in the draft as it was saved last, or in what is under review. */
export function useChecks(id: string, revision: number | null) {
  return useQuery({
    queryKey: [...keys.workitem(id), 'checks', revision],
    queryFn: () => fetchChecks(id),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    retry: 1,
  });
}

/** One's own snippets and the shared ones. */
export function useSnippets() {
  return useQuery({
    queryKey: ['snippets'],
    queryFn: () => answer(api.GET('/api/snippets')),
    staleTime: 60_000,
  });
}

/** Two texts of one report with what differs; without `to` the saved draft of `revision` is the new one. */
export function useComparison(id: string, from: string, to: string | null, revision = 0) {
  return useQuery({
    queryKey: [...keys.workitem(id), 'comparison', from, to, revision],
    queryFn: () =>
      answer(
        api.GET('/api/workitems/{workitem_id}/comparison', {
          params: { path: { workitem_id: id }, query: to === null ? { old: from } : { old: from, new: to } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** Returns the texts of a template; what is open is marked. Throws the Problem of a value that does not fit. */
export function fillTemplate(templateId: string, values: Record<string, string>): Promise<FilledText> {
  return answer(
    api.POST('/api/templates/{template_id}/fill', {
      params: { path: { template_id: templateId } },
      body: { values, partly: true },
    }),
  );
}

/** Returns the doctor's own last normal report of the same kind; throws a 404 when there is none. */
export function fetchLastNormal(id: string) {
  return answer(api.GET('/api/workitems/{workitem_id}/last-normal', path(id)));
}
