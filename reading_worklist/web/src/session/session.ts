import { QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect } from 'react';

import { answer, api, keepCsrfToken, whenSignedOut } from '../api/client';
import { asProblem, Problem } from '../api/problem';
import type { Session } from '../api/types';
import { showTimesIn } from '../i18n/format';

export const SESSION_KEY = ['session'] as const;

const END_KEY = ['session', 'end'] as const;

/** How the last session of this tab ended: by itself, or because its person left. */
type SessionEnd = 'expired' | 'left';

const MOST_RETRIES = 2;

/** The cache of all pages. Only failures that may pass are tried again; a refusal is shown at once. */
export function createQueryClient(): QueryClient {
  const client = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (count, error) => count < MOST_RETRIES && asProblem(error).passing,
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  });
  whenSignedOut(() => {
    keepCsrfToken(null);
    if (!client.getQueryData(SESSION_KEY)) return;
    client.setQueryData<SessionEnd>(END_KEY, 'expired');
    client.setQueryData(SESSION_KEY, null);
  });
  return client;
}

async function loadSession(): Promise<Session | null> {
  try {
    return kept(await answer(api.GET('/api/session')));
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null;
    throw error;
  }
}

function kept(session: Session): Session {
  keepCsrfToken(session.csrf_token);
  showTimesIn(session.time_zone);
  return session;
}

/** The signed-in person; data is null when nobody is signed in. */
export function useSession() {
  return useQuery({ queryKey: SESSION_KEY, queryFn: loadSession, staleTime: Infinity });
}

/** Signs a person in. What an earlier person saw is forgotten first. */
export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (credentials: { login: string; password: string; code?: string }) =>
      kept(await answer(api.POST('/api/session', { body: credentials }))),
    onSuccess: (session) => {
      forgetPages(client);
      client.setQueryData(SESSION_KEY, session);
    },
  });
}

/** Tells the server that the person is still there; the session lasts longer then. */
export function useStaySignedIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => kept(await answer(api.POST('/api/session/stay'))),
    onSuccess: (session) => client.setQueryData(SESSION_KEY, session),
  });
}

/** Asks anew how the session stands: what was outstanding may be done, or it may be over. */
export function useSessionAgain(): () => Promise<Session | null> {
  const client = useQueryClient();
  return useCallback(async () => {
    const session = await loadSession();
    if (session === null) client.setQueryData<SessionEnd>(END_KEY, 'expired');
    client.setQueryData(SESSION_KEY, session);
    return session;
  }, [client]);
}

/** The identity providers whose buttons the sign-in page shows. */
export function useProviders() {
  return useQuery({
    queryKey: ['session', 'providers'],
    queryFn: () => answer(api.GET('/api/session/providers')),
    staleTime: Infinity,
  });
}

/** Lets other tabs of this browser know that the session they share acts for somebody else now. */
const tabs = new BroadcastChannel('rdc.session');

function forgetPages(client: QueryClient): void {
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== SESSION_KEY[0] });
}

/** Acts for another of one's organisations from now on. What was seen for the one before is forgotten. */
export function useChooseOrganisation() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (code: string) =>
      kept(await answer(api.PUT('/api/session/organisation', { body: { organisation: code } }))),
    onSuccess: (session) => {
      client.setQueryData(SESSION_KEY, session);
      forgetPages(client);
      tabs.postMessage(session.organisation.code);
    },
  });
}

/** Follows a choice that was made in another tab: the session is asked for again, and all pages with it. */
export function useChoiceOfOtherTabs(): void {
  const client = useQueryClient();
  useEffect(() => {
    const follow = (): void => {
      void client.refetchQueries({ queryKey: SESSION_KEY, exact: true }).then(() => forgetPages(client));
    };
    tabs.addEventListener('message', follow);
    return () => tabs.removeEventListener('message', follow);
  }, [client]);
}

/** Ends the session; the page goes to the sign-in even when the server cannot be told. */
export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => answer(api.DELETE('/api/session')),
    onSettled: () => {
      const provider = client.getQueryData<Session | null>(SESSION_KEY)?.provider;
      keepCsrfToken(null);
      forgetPages(client);
      client.setQueryData<SessionEnd>(END_KEY, 'left');
      client.setQueryData(SESSION_KEY, null);
      // Else the next person at this desk would come in with one click on the provider's button.
      if (provider) location.assign(`/api/session/outside/${encodeURIComponent(provider)}/leave`);
    },
  });
}

/** The address of the sign-in for somebody who came from `page`: who left on purpose starts afresh. */
export function useSignInAddress(page: string): string {
  const end = useQueryClient().getQueryData<SessionEnd>(END_KEY);
  if (end === 'left' || page === '/') return '/sign-in';
  return `/sign-in?next=${encodeURIComponent(page)}${end === 'expired' ? '&ended=1' : ''}`;
}
