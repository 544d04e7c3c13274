import type { IdentityNotice } from '../api/types';

/** What there is to say: the study waits at the desk, its patient was corrected, or a doubt was settled; else null. */
export function noticeOf(notice: IdentityNotice): 'doubted' | 'corrected' | 'settled' | null {
  if (notice.case_state === 'OPEN') return 'doubted';
  if (notice.decision === null) return null;
  return notice.corrected.length > 0 ? 'corrected' : 'settled';
}
