import { App, Button } from 'antd';
import { Link } from 'react-router';

import type { RecallNotice } from '../api/types';
import { Name } from '../design/PatientName';
import { useRefusal } from '../design/useRefusal';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { useRecallAct } from './queries';
import './portal.css';

/** Reports that one has read and that do not stand any more, until one says that one knows. Nothing where there are none. */
export function Recalls({ notices, linked }: { notices: readonly RecallNotice[]; linked: boolean }) {
  const { t } = useLanguage();
  if (notices.length === 0) return null;
  return (
    <section className="portal-recalls" aria-label={t('portal.recalls')}>
      {notices.map((notice) => (
        <Recall key={notice.id} notice={notice} linked={linked} />
      ))}
    </section>
  );
}

function Recall({ notice, linked }: { notice: RecallNotice; linked: boolean }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const refused = useRefusal();
  const act = useRecallAct();
  const acknowledge = async (): Promise<void> => {
    try {
      await act.mutateAsync(notice.id);
      void message.success(t('portal.recall.known'));
    } catch (error) {
      refused(error);
    }
  };
  return (
    <div className={notice.kind === 'supplemented' ? 'notice' : 'notice notice-problem'} role="alert">
      <p className="notice-title">
        {notice.colleague !== null && (
          <>
            <Name name={notice.patient_name} latin={notice.patient_latin_name} />
            {' · '}
          </>
        )}
        {notice.replaced_by === null
          ? t('portal.recall.revoked', { n: notice.number })
          : t(notice.kind === 'supplemented' ? 'portal.recall.supplemented' : 'portal.recall.superseded', {
              n: notice.number,
              next: notice.replaced_by,
            })}
      </p>
      <p>{t('portal.recall.why', { reason: notice.reason, time: formatDateTime(notice.recalled_at) })}</p>
      <Holder notice={notice} />
      <div className="portal-acts">
        {notice.acknowledgeable && (
          <Button type="primary" size="small" loading={act.isPending} onClick={() => void acknowledge()}>
            {t(notice.colleague === null ? 'portal.recall.acknowledge' : 'portal.recall.acknowledgeFor')}
          </Button>
        )}
        {linked && <Link to={`/portal/${notice.workitem_id}`}>{t('portal.recall.open')}</Link>}
      </div>
    </div>
  );
}

/** Who has the version: oneself, a colleague who does not answer, or a machine. */
function Holder({ notice }: { notice: RecallNotice }) {
  const { t } = useLanguage();
  const time = formatDateTime(notice.opened_at);
  if (notice.colleague === null) return <p className="quiet">{t('portal.recall.opened', { time })}</p>;
  const words = { who: notice.colleague, time };
  return (
    <p className="quiet">{t(notice.acknowledgeable ? 'portal.recall.colleague' : 'portal.recall.machine', words)}</p>
  );
}
