import { Skeleton } from 'antd';

import { Chip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { formatExactTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { useDelivery } from './queries';

/** Every attempt of a delivery, the last first, with what the receiver said. */
export function Attempts({ id }: { id: string }) {
  const { t } = useLanguage();
  const delivery = useDelivery(id);
  if (delivery.isError) return <ProblemNotice error={delivery.error} onRetry={() => void delivery.refetch()} />;
  if (delivery.data === undefined) return <Skeleton active title={false} paragraph={{ rows: 2 }} />;
  const attempts = delivery.data.attempt_list;
  if (attempts.length === 0) return <p className="quiet">{t('deliveries.noAttempts')}</p>;
  return (
    <ol className="attempts" aria-label={t('deliveries.attempts')}>
      {attempts
        .toSorted((a, b) => b.number - a.number)
        .map((attempt) => (
          <li key={attempt.number}>
            <span className="quiet">{t('deliveries.attempt', { n: attempt.number })}</span>
            <time dateTime={attempt.started_at}>{formatExactTime(attempt.started_at)}</time>
            <AttemptChip succeeded={attempt.succeeded} />
            <span className="attempt-answer">{attempt.answer}</span>
          </li>
        ))}
    </ol>
  );
}

function AttemptChip({ succeeded }: { succeeded: boolean | null }) {
  const { t } = useLanguage();
  if (succeeded === null) return <Chip tone="blue">{t('deliveries.state.IN_PROGRESS')}</Chip>;
  return succeeded ? (
    <Chip tone="green">{t('deliveries.state.DELIVERED')}</Chip>
  ) : (
    <Chip tone="red">{t('deliveries.attemptFailed')}</Chip>
  );
}
