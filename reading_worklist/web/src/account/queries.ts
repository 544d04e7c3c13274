import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import type { components } from '../api/schema';

export type OpenSession = components['schemas']['OpenSessionView'];

const SESSIONS = ['account', 'sessions'] as const;

export function useOpenSessions() {
  return useQuery({ queryKey: SESSIONS, queryFn: () => answer(api.GET('/api/account/sessions')) });
}

/** Signs out at another place. */
export function useEndSession() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      answer(api.DELETE('/api/account/sessions/{session_id}', { params: { path: { session_id: id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: SESSIONS }),
  });
}

/** Changes the password; other sessions end with it. */
export function useChangePassword() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: components['schemas']['PasswordBody']) => answer(api.PUT('/api/account/password', { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: SESSIONS }),
  });
}
