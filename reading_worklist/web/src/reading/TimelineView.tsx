import type { UseQueryResult } from '@tanstack/react-query';
import { Skeleton } from 'antd';

import type { Timeline } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { DeliverySteps, Steps } from '../design/Steps';
import type { PlainKey } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';

const STEPS = [
  ['first_received_at', 'timeline.first_received'],
  ['last_received_at', 'timeline.last_received'],
  ['completed_at', 'timeline.completed'],
  ['queued_at', 'timeline.queued'],
  ['claimed_at', 'timeline.claimed'],
  ['submitted_at', 'timeline.submitted'],
  ['reviewed_at', 'timeline.reviewed'],
  ['finalised_at', 'timeline.finalised'],
  ['delivered_at', 'timeline.delivered'],
  ['opened_at', 'timeline.opened'],
] as const satisfies readonly (readonly [keyof Timeline, PlainKey])[];

/** The steps of an exam with their times, and how long each took after the one before. */
export function TimelineView({ timeline }: { timeline: UseQueryResult<Timeline> }) {
  const { t } = useLanguage();
  if (timeline.isError) return <ProblemNotice error={timeline.error} onRetry={() => void timeline.refetch()} />;
  if (timeline.data === undefined) return <Skeleton active paragraph={{ rows: 8 }} />;
  const { deliveries } = timeline.data;
  return (
    <>
      <h2 className="visually-hidden">{t('timeline.title')}</h2>
      <Steps times={STEPS.map(([member, name]) => [name, timeline.data[member]])} />
      <DeliverySteps deliveries={deliveries} />
    </>
  );
}
