import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import type { EcgCriticalList } from '../api/types';

const KEY = ['ecg-critical-list'] as const;

/** The list of critical values that ECGs are judged by, and those that may be chosen. */
export function useEcgList() {
  return useQuery({ queryKey: KEY, queryFn: () => answer(api.GET('/api/ecg/critical-list')) });
}

export function useChooseList() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (province: EcgCriticalList['province']) =>
      answer(api.PUT('/api/ecg/critical-list', { body: { province } })),
    onSuccess: (list) => client.setQueryData(KEY, list),
  });
}
