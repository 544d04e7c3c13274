import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import type { components } from '../api/schema';

type Schemas = components['schemas'];
export type Person = Schemas['KeptPerson'];
export type PersonDetail = Schemas['PersonDetail'];
export type Place = Schemas['PlaceView'];
export type HeldRole = Schemas['RoleView'];
export type RoleBody = Schemas['RoleBody'];
export type NewPerson = Schemas['NewPerson'];
export type IdentityBody = Schemas['IdentityBody'];

const PEOPLE = ['people'] as const;

export function usePeople() {
  return useQuery({ queryKey: PEOPLE, queryFn: () => answer(api.GET('/api/people')) });
}

export function usePerson(id: string) {
  return useQuery({
    queryKey: [...PEOPLE, id],
    queryFn: () => answer(api.GET('/api/people/{person_id}', { params: { path: { person_id: id } } })),
  });
}

/** What is done with a person; `password` and `add` answer with a password that is shown once. */
export type Act =
  | { kind: 'change'; display_name?: string; active?: boolean }
  | { kind: 'give-role' | 'end-role'; role: RoleBody }
  | { kind: 'lift-wait' | 'reset-factor' | 'end-all' | 'approve-signing' | 'withdraw-signing' }
  | { kind: 'end-session'; session: string }
  | { kind: 'register'; identity: IdentityBody }
  | { kind: 'remove-identity'; identity: string };

function acted(id: string, act: Act): Promise<PersonDetail> {
  const params = { path: { person_id: id } };
  switch (act.kind) {
    case 'change': {
      const { display_name = null, active = null } = act;
      return answer(api.PATCH('/api/people/{person_id}', { params, body: { display_name, active } }));
    }
    case 'give-role':
      return answer(api.PUT('/api/people/{person_id}/roles', { params, body: act.role }));
    case 'end-role':
      return answer(api.POST('/api/people/{person_id}/roles/end', { params, body: act.role }));
    case 'lift-wait':
      return answer(api.POST('/api/people/{person_id}/lift-wait', { params }));
    case 'reset-factor':
      return answer(api.POST('/api/people/{person_id}/second-factor/reset', { params }));
    case 'approve-signing':
      return answer(api.POST('/api/people/{person_id}/signing-approval', { params }));
    case 'withdraw-signing':
      return answer(api.DELETE('/api/people/{person_id}/signing-approval', { params }));
    case 'end-all':
      return answer(api.DELETE('/api/people/{person_id}/sessions', { params }));
    case 'end-session':
      return answer(
        api.DELETE('/api/people/{person_id}/sessions/{session_id}', {
          params: { path: { person_id: id, session_id: act.session } },
        }),
      );
    case 'register':
      return answer(api.POST('/api/people/{person_id}/identities', { params, body: act.identity }));
    case 'remove-identity':
      return answer(
        api.DELETE('/api/people/{person_id}/identities/{identity_id}', {
          params: { path: { person_id: id, identity_id: act.identity } },
        }),
      );
  }
}

/** Does something with a person and shows at once what came of it. */
export function usePersonAct(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (act: Act) => acted(id, act),
    onSuccess: (person) => client.setQueryData([...PEOPLE, id], person),
    onSettled: () => client.invalidateQueries({ queryKey: PEOPLE }),
  });
}

/** Gives a person a one-time password. */
export function useNewPassword() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      answer(api.POST('/api/people/{person_id}/password', { params: { path: { person_id: id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: PEOPLE }),
  });
}

export function useAddPerson() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewPerson) => answer(api.POST('/api/people', { body })),
    onSettled: () => client.invalidateQueries({ queryKey: PEOPLE }),
  });
}
