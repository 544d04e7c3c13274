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

const FACTOR = ['account', 'second-factor'] as const;

export type SecondFactor = components['schemas']['SecondFactorView'];
export type Enrolment = components['schemas']['EnrolmentView'];

/** What is demanded of passwords here. */
export function useAccountRules() {
  return useQuery({
    queryKey: ['account', 'rules'],
    queryFn: () => answer(api.GET('/api/account/rules')),
    staleTime: Infinity,
  });
}

export function useSecondFactor() {
  return useQuery({ queryKey: FACTOR, queryFn: () => answer(api.GET('/api/account/second-factor')) });
}

/** Everything that one does with one's own second factor; each throws when the server refuses. */
export function useSecondFactorActs() {
  const client = useQueryClient();
  async function again<Result>(made: Promise<Result>): Promise<Result> {
    const result = await made;
    void client.invalidateQueries({ queryKey: FACTOR });
    return result;
  }
  return {
    begin: (password: string) => answer(api.POST('/api/account/second-factor', { body: { password } })),
    confirm: (code: string) => again(answer(api.POST('/api/account/second-factor/confirm', { body: { code } }))),
    prove: (code: string) => answer(api.POST('/api/account/second-factor/prove', { body: { code } })),
    renew: (code: string) => again(answer(api.POST('/api/account/second-factor/recovery-codes', { body: { code } }))),
    remove: (code: string) => again(answer(api.POST('/api/account/second-factor/remove', { body: { code } }))),
  };
}

const KEY = ['account', 'signing-key'] as const;

export function useSigningKey() {
  return useQuery({ queryKey: KEY, queryFn: () => answer(api.GET('/api/account/signing-key')) });
}

/** Makes one's signing key; a code of the second factor is proved first where there is one. */
export function useMakeSigningKey() {
  const client = useQueryClient();
  return useMutation({
    // The PIN is kept nowhere.
    gcTime: 0,
    mutationFn: async ({ pin, code }: { pin: string; code: string }) => {
      if (code !== '') await answer(api.POST('/api/account/second-factor/prove', { body: { code } }));
      return answer(api.POST('/api/account/signing-key', { body: { pin } }));
    },
    onSuccess: (key) => client.setQueryData(KEY, key),
  });
}
