import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import type { components } from '../api/schema';

type Schemas = components['schemas'];
export type Share = Schemas['ShareView'];
export type MadeShare = Schemas['MadeShare'];
export type SharedStudy = Schemas['SharedStudy'];
export interface NewShare {
  recipient: string;
  basis: string;
  hours: number;
  with_report: boolean;
  with_code: boolean;
}

const key = (workitem: string) => ['shares', workitem] as const;
const path = (workitem: string) => ({ params: { path: { workitem_id: workitem } } });

/** The links to one exam, ended ones too. */
export function useShares(workitem: string) {
  return useQuery({
    queryKey: key(workitem),
    queryFn: () => answer(api.GET('/api/workitems/{workitem_id}/shares', path(workitem))),
  });
}

/** Makes a link; what comes back is shown once. */
export function useMakeShare(workitem: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewShare) =>
      answer(api.POST('/api/workitems/{workitem_id}/shares', { ...path(workitem), body })),
    onSuccess: () => client.invalidateQueries({ queryKey: key(workitem) }),
  });
}

export function useRevokeShare(workitem: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, reason }: { id: string; reason: string }) =>
      answer(api.POST('/api/shares/{share_id}/revoke', { params: { path: { share_id: id } }, body: { reason } })),
    onSuccess: (shares) => client.setQueryData(key(workitem), shares),
  });
}

/** What the link that was opened in this browser shows; refused where none is open. */
export function useShared(enabled: boolean) {
  return useQuery({
    queryKey: ['shared'],
    queryFn: () => answer(api.GET('/api/shared')),
    enabled,
    retry: false,
  });
}

/** Opens a link; the cookie that comes with the answer shows the study. */
export function useOpenShare() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { token: string; code: string }) => answer(api.POST('/api/shared', { body })),
    onSuccess: (shared) => client.setQueryData(['shared'], shared),
  });
}
