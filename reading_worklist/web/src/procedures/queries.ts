import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';

export type Procedure = components['schemas']['ProcedureView'];
export type ProcedureBody = components['schemas']['ProcedureBody'];

const ALL = [...keys.orders, 'procedures', 'all'] as const;

/** All procedures of the consortium, those that are not offered last. */
export function useAllProcedures() {
  return useQuery({ queryKey: ALL, queryFn: () => answer(api.GET('/api/procedures')) });
}

/** Makes or changes a procedure; the answer is the list. */
export function useSaveProcedure() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ code, body }: { code: string; body: ProcedureBody }) =>
      answer(api.PUT('/api/procedures/{code}', { params: { path: { code } }, body })),
    onSuccess: (list) => client.setQueryData(ALL, list),
  });
}
