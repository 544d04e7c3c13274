import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { PriorPurpose } from '../api/types';

export const PRIOR_PURPOSES: readonly PriorPurpose[] = [
  'comparison',
  'emergency',
  'consultation',
  'recognition',
  'quality',
  'other',
];

const path = (id: string) => ({ params: { path: { workitem_id: id } } });

/** The patient's other studies: of this site at once, of others once it was said why. */
export function usePriors(id: string) {
  return useQuery({
    queryKey: keys.priors(id),
    queryFn: () => answer(api.GET('/api/workitems/{workitem_id}/priors', path(id))),
    // A reason ends by itself, and with it what it showed.
    refetchInterval: 5 * 60_000,
  });
}

/** Says why studies of other sites are needed; asked once for each patient. */
export function useGiveReason(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (reason: { purpose: PriorPurpose; note: string }) =>
      answer(api.POST('/api/workitems/{workitem_id}/priors/reason', { ...path(id), body: reason })),
    onSuccess: (priors) => client.setQueryData(keys.priors(id), priors),
  });
}

/** Opens for an hour what no agreement opens; the auditor is told. */
export function useEmergency(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (note: string) =>
      answer(api.POST('/api/workitems/{workitem_id}/priors/emergency', { ...path(id), body: { note } })),
    onSuccess: (priors) => client.setQueryData(keys.priors(id), priors),
  });
}

/** Opens the images of a prior; only what was opened is served, and each opening is recorded. */
export function useOpenPrior(id: string) {
  return useMutation({
    mutationFn: (studyId: string) =>
      answer(
        api.POST('/api/workitems/{workitem_id}/priors/{study_id}/open', {
          params: { path: { workitem_id: id, study_id: studyId } },
        }),
      ),
  });
}

/** The text of a prior's report; reading it is recorded, so it is asked for once while the page is open. */
export function usePriorReport(id: string, studyId: string) {
  return useQuery({
    queryKey: keys.priorReport(id, studyId),
    queryFn: () =>
      answer(
        api.GET('/api/workitems/{workitem_id}/priors/{study_id}/report', {
          params: { path: { workitem_id: id, study_id: studyId } },
        }),
      ),
    staleTime: Infinity,
  });
}
