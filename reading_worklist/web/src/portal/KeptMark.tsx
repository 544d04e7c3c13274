import { CheckCircleOutlined, ExclamationCircleOutlined, SafetyCertificateOutlined } from '@ant-design/icons';
import { Skeleton } from 'antd';

import type { Kept } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { formatExactTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { useKept } from './queries';
import './portal.css';

const MARKS = {
  safe: <SafetyCertificateOutlined />,
  stored: <CheckCircleOutlined />,
  not_yet: <ExclamationCircleOutlined />,
} as const;

/** Whether the images may be deleted from the modality, with the reason where they may not. */
export function KeptMark({ id }: { id: string }) {
  const { t } = useLanguage();
  const kept = useKept(id);
  if (kept.isError) return <ProblemNotice error={kept.error} onRetry={() => void kept.refetch()} />;
  if (kept.data === undefined) return <Skeleton.Input active block size="small" />;
  const { verdict, checked_at: at } = kept.data;
  return (
    <section className={`kept kept-${verdict}`} aria-label={t('kept.title')}>
      <span className="kept-mark" aria-hidden="true">
        {MARKS[verdict]}
      </span>
      <div>
        <p className="strong">{t(`kept.${verdict}`)}</p>
        <p>
          <Why kept={kept.data} />
        </p>
        {at !== null && <p className="quiet small">{t('kept.checked', { time: formatExactTime(at) })}</p>}
      </div>
    </section>
  );
}

function Why({ kept }: { kept: Kept }) {
  const { t } = useLanguage();
  const { received: n, missing, quarantined, lost } = kept;
  switch (kept.obstacle) {
    case null:
      return t(kept.verdict === 'safe' ? 'kept.safe.why' : 'kept.stored.why', { n });
    case 'missing':
      return t('kept.missing', { n: missing });
    case 'quarantined':
      return t('kept.quarantined', { n: quarantined });
    case 'lost':
      return t('kept.lost', { n: lost });
    default:
      return t(`kept.${kept.obstacle}`);
  }
}
