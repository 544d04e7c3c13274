import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';

import { answer, api } from '../api/client';
import { asProblem } from '../api/problem';
import type { PatientCopyBody, WhoseCopyBody } from '../api/types';

/** Asks who has a number at a site. */
export function useCopyPreview() {
  return useMutation({
    mutationFn: (whose: WhoseCopyBody) => answer(api.POST('/api/patient-copies/preview', { body: whose })),
  });
}

/** The archive of a patient's data; the bytes received so far grow while it comes. It is kept nowhere but here. */
export function usePatientCopy() {
  const [received, setReceived] = useState(0);
  const { mutateAsync, isPending, isSuccess, error } = useMutation({
    mutationFn: async ({ site_code, local_id, reason }: PatientCopyBody) => {
      setReceived(0);
      const call = api.POST('/api/patient-copies', { body: { site_code, local_id, reason }, parseAs: 'stream' });
      const stream = await answer(call);
      if (stream === null) throw asProblem(new Error('an answer without a body'));
      return collected(stream, setReceived);
    },
  });
  const download = async (body: PatientCopyBody): Promise<Blob | null> => mutateAsync(body).catch(() => null);
  return { download, received, isPending, isDone: isSuccess, error };
}

async function collected(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onReceived: (bytes: number) => void,
): Promise<Blob> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return new Blob(pieces, { type: 'application/zip' });
      pieces.push(value);
      bytes += value.byteLength;
      onReceived(bytes);
    }
  } catch (error) {
    // A connection that ends early: what came is no archive and is given to nobody.
    throw asProblem(error);
  }
}

/** Lets the browser save what it has. */
export function saveAs(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser has begun to copy it by the next turn.
  setTimeout(() => URL.revokeObjectURL(link.href));
}
