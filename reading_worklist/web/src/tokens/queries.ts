import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import type { components } from '../api/schema';

type Schemas = components['schemas'];
export type Token = Schemas['TokenView'];
export type TokenSite = Schemas['TokenSite'];
export type NewToken = Schemas['NewToken'];
export type Rotation = Schemas['Rotation'];
/** A token with its secret, which is shown this once. */
export type MadeToken = Schemas['MadeToken'];

const TOKENS = ['machine-tokens'] as const;

export function useTokens() {
  return useQuery({ queryKey: TOKENS, queryFn: () => answer(api.GET('/api/machine-tokens')) });
}

/** Runs an act and reads the list again, whatever came of it. */
function useTokenAct<Input, Output>(act: (input: Input) => Promise<Output>) {
  const client = useQueryClient();
  // A secret is not kept longer than the dialog that shows it.
  return useMutation({
    mutationFn: act,
    gcTime: 0,
    onSettled: () => client.invalidateQueries({ queryKey: TOKENS }),
  });
}

export function useMakeToken() {
  return useTokenAct((body: NewToken) => answer(api.POST('/api/machine-tokens', { body })));
}

export function useRotateToken() {
  return useTokenAct(({ id, ...body }: Rotation & { id: string }) =>
    answer(api.POST('/api/machine-tokens/{token_id}/rotate', { params: { path: { token_id: id } }, body })),
  );
}

export function useRevokeToken() {
  return useTokenAct(({ id, reason }: { id: string; reason: string }) =>
    answer(api.POST('/api/machine-tokens/{token_id}/revoke', { params: { path: { token_id: id } }, body: { reason } })),
  );
}
