import { Link } from 'react-router';

import type { IdentityNotice } from '../api/types';
import { Chip } from '../design/Chip';
import { differenceWords, valueWords } from '../identity/differences';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { pagesOf } from '../session/roles';
import { useSession } from '../session/session';
import { noticeOf } from './identityNotice';
import { useIdentityNotice } from './queries';

/** Above all else of an exam: that it is doubted, or was corrected, whose images these are. */
export function IdentityBanner({ id }: { id: string }) {
  const { data: notice } = useIdentityNotice(id);
  const kind = notice === undefined ? null : noticeOf(notice);
  if (notice === undefined || kind === null) return null;
  return (
    <section className={`identity-banner identity-banner-${kind}`} role={kind === 'doubted' ? 'alert' : 'note'}>
      {kind === 'doubted' ? <Doubted notice={notice} /> : <Decided notice={notice} />}
      <DeskLink caseId={notice.case_id} />
    </section>
  );
}

function Doubted({ notice }: { notice: IdentityNotice }) {
  const { t, language } = useLanguage();
  return (
    <>
      <strong>{t('identityNotice.doubted')}</strong>
      {notice.differences.map((difference) => (
        <Chip key={`${difference.attribute} ${difference.finding}`} tone="amber">
          {differenceWords(language, difference)}
        </Chip>
      ))}
      {notice.opened_because !== null && <span>{t('identity.openedBecause', { reason: notice.opened_because })}</span>}
    </>
  );
}

function Decided({ notice }: { notice: IdentityNotice }) {
  const { t, language } = useLanguage();
  const { decision } = notice;
  if (decision === null) return null;
  return (
    <>
      <strong>{t(notice.corrected.length > 0 ? 'identityNotice.corrected' : 'identityNotice.decided')}</strong>
      {notice.corrected.map(({ attribute, header, now }) => (
        <span key={attribute} className="identity-banner-change">
          {t('identityNotice.change', {
            what: t(`identity.row.${attribute}`),
            header: valueWords(language, attribute, header),
            now: valueWords(language, attribute, now),
          })}
        </span>
      ))}
      <span title={decision.reason}>
        {t(`identity.decision.${decision.kind}`)} ·{' '}
        {t('identity.by', { name: decision.person.display_name, time: formatDateTime(decision.at) })}
      </span>
    </>
  );
}

function DeskLink({ caseId }: { caseId: string | null }) {
  const { t } = useLanguage();
  const { data: session } = useSession();
  if (caseId === null || !session || !pagesOf(session).includes('/identity')) return null;
  return (
    <Link className="identity-banner-desk" to={`/identity/${caseId}`}>
      {t('identityNotice.desk')}
    </Link>
  );
}
