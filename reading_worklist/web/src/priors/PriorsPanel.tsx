import { Skeleton } from 'antd';
import { useState } from 'react';

import type { Priors } from '../api/types';
import { Empty, ProblemNotice } from '../design/Notice';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import type { PanelProps } from '../reading/panels';
import { PriorRow } from './PriorRow';
import { usePriors } from './queries';
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
      <Why priors={priors.data} />
    </>
  );
}

function Why({ priors }: { priors: Priors }) {
  const { t } = useLanguage();
  const { reason, not_agreed: hidden } = priors;
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
      {hidden > 0 && <p className="quiet small">{t('priors.notAgreed', { n: hidden })}</p>}
    </>
  );
}
