import { Button, Skeleton } from 'antd';
import { useState } from 'react';

import type { Priors } from '../api/types';
import { Chip } from '../design/Chip';
import { Empty, ProblemNotice } from '../design/Notice';
import { ReasonDialog } from '../design/ReasonDialog';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import type { PanelProps } from '../reading/panel';
import { PriorRow } from './PriorRow';
import { useEmergency, usePriors } from './queries';
import { ReasonForm } from './ReasonForm';
import './priors.css';

/** The patient's earlier studies: what was reported, and their images beside these. */
export function PriorsPanel({ item }: PanelProps) {
  const { t } = useLanguage();
  const priors = usePriors(item.id);
  const [open, setOpen] = useState<string | null>(null);
  if (priors.isError && priors.data === undefined)
    return <ProblemNotice error={priors.error} onRetry={() => void priors.refetch()} />;
  if (priors.data === undefined) return <Skeleton active paragraph={{ rows: 6 }} />;
  const { items, reason_needed: needed, elsewhere } = priors.data;
  return (
    <>
      {priors.isError && <ProblemNotice error={priors.error} onRetry={() => void priors.refetch()} />}
      {needed && <ReasonForm id={item.id} count={elsewhere} />}
      {items.length === 0 && !needed && <Empty title={t('priors.none')} />}
      <ul className="priors">
        {items.map((prior) => (
          <PriorRow
            key={prior.study_id}
            item={item}
            prior={prior}
            open={open === prior.study_id}
            onOpen={(wanted) => setOpen(wanted ? prior.study_id : null)}
          />
        ))}
      </ul>
      <Why id={item.id} priors={priors.data} />
    </>
  );
}

function Why({ id, priors }: { id: string; priors: Priors }) {
  const { t } = useLanguage();
  const [asking, setAsking] = useState(false);
  const force = useEmergency(id);
  const { reason, emergency, not_agreed: hidden } = priors;
  return (
    <>
      {reason !== null && (
        <p className="quiet small">
          {t('priors.reason', {
            purpose: t(`priors.purpose.${reason.purpose}`),
            until: formatDateTime(reason.until),
          })}
        </p>
      )}
      {emergency !== null && (
        <p className="small" role="status">
          <Chip tone="red">{t('priors.purpose.emergency')}</Chip>{' '}
          {t('priors.emergency.open', { until: formatDateTime(emergency.until), note: emergency.note })}
        </p>
      )}
      {hidden > 0 && emergency === null && (
        <div className="prior-hidden">
          <p className="quiet small">{t('priors.notAgreed', { n: hidden })}</p>
          {priors.may_force && (
            <Button size="small" danger onClick={() => setAsking(true)}>
              {t('priors.emergency.ask')}
            </Button>
          )}
        </div>
      )}
      {asking && (
        <ReasonDialog
          title={t('priors.emergency.title')}
          confirm={t('priors.emergency.ask')}
          danger
          longest={500}
          onConfirm={(note) => force.mutateAsync(note)}
          onClose={() => setAsking(false)}
        >
          <p>{t('priors.emergency.text')}</p>
        </ReasonDialog>
      )}
    </>
  );
}
