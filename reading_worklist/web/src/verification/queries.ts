import { useMutation, useQuery } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';

/** Verifies a signed version; asked for by hand, since it reads and checks the whole document. */
export function useVersionVerification(versionId: string, enabled: boolean) {
  return useQuery({
    queryKey: keys.verification(versionId),
    queryFn: () =>
      answer(api.GET('/api/reports/{version_id}/verification', { params: { path: { version_id: versionId } } })),
    enabled,
  });
}

/** Verifies a report by the code on its paper; needs no sign-in. */
export function useCodeVerification(code: string) {
  return useQuery({
    queryKey: keys.verification(code),
    queryFn: () => answer(api.GET('/api/verify/{code}', { params: { path: { code } } })),
    enabled: isCode(code),
  });
}

/** Verifies a file that somebody has; needs no sign-in, and nothing of it is kept. */
export function useFileVerification() {
  return useMutation({
    mutationFn: (file: File) =>
      answer(
        api.POST('/api/verify', {
          headers: { 'Content-Type': 'application/pdf' },
          // The description of the API has no other type for bytes.
          body: file as unknown as string,
          bodySerializer: (body) => body as unknown as File,
        }),
      ),
  });
}

/** Whether a text has the form of a code on a report. */
export function isCode(text: string): boolean {
  return /^[A-Z0-9]{12}$/.test(text);
}
