import { useState } from 'react';

export interface Attempt {
  busy: boolean;
  /** Why the server refused the last time; null when it did not. */
  refusal: unknown;
  attempt: (act: () => Promise<unknown>) => Promise<void>;
}

/** One act of a dialog at a time: it closes when the server agrees, and stays open with the refusal. */
export function useAttempt(onDone: () => void): Attempt {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<unknown>(null);
  const attempt = async (act: () => Promise<unknown>): Promise<void> => {
    if (busy) return;
    setBusy(true);
    setRefusal(null);
    try {
      await act();
      onDone();
    } catch (error) {
      setRefusal(error);
      setBusy(false);
    }
  };
  return { busy, refusal, attempt };
}
