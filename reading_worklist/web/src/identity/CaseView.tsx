import { CheckOutlined, CloseOutlined } from '@ant-design/icons';
import { App, Button, Skeleton } from 'antd';
import { useState } from 'react';

import type { CaseDetail, ComparedRow } from '../api/types';
import { Chip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { Name } from '../design/PatientName';
import { ReasonDialog } from '../design/ReasonDialog';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { CandidateList } from './CandidateList';
import { differenceWords, valueWords } from './differences';
import '../design/table.css';
import { type Decision, useCase, useDecision } from './queries';

/** One case: both sides, what it could belong to, and the decision. */
export function CaseView({ id }: { id: string }) {
  const { data, isError, error, refetch } = useCase(id);
  if (isError) return <ProblemNotice error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Skeleton active paragraph={{ rows: 8 }} />;
  return <LoadedCase detail={data} />;
}

function LoadedCase({ detail }: { detail: CaseDetail }) {
  const { t, language } = useLanguage();
  const [asked, setAsked] = useState<Decision | null>(null);
  const { message } = App.useApp();
  const { mutateAsync } = useDecision(detail.id);
  const matched = detail.order?.source === 'header' ? null : detail.order;
  const decide = async (reason: string): Promise<void> => {
    if (asked === null) return;
    await mutateAsync({ decision: asked, reason });
    void message.success(t(`identity.decision.${asked.kind}`));
  };
  return (
    <>
      <div className="desk-head">
        <h2>
          <Name name={detail.header.name} latin={detail.header.latin_name} />
        </h2>
        <span className="quiet">{siteName(language, detail.site)}</span>
        <span className="quiet">{detail.study.description}</span>
        <span className="page-space" />
        <a href={detail.viewer_url} target="_blank" rel="noreferrer">
          {t('identity.view')}
        </a>
      </div>
      <p className="desk-line-why">
        {detail.differences.map((difference) => (
          <Chip key={`${difference.attribute} ${difference.finding}`} tone="amber">
            {differenceWords(language, difference)}
          </Chip>
        ))}
        {detail.opened_because !== null && (
          <Chip tone="violet">{t('identity.openedBecause', { reason: detail.opened_because })}</Chip>
        )}
      </p>
      {detail.rows.length > 0 ? (
        <Comparison rows={detail.rows} />
      ) : (
        <p className="quiet">{t('identity.nothingOrdered')}</p>
      )}
      <p className="desk-now">
        <span className="quiet">{t('identity.patient')}</span>{' '}
        <strong>
          <Name name={detail.patient.name} latin={detail.patient.latin_name} />
        </strong>{' '}
        {detail.patient.local_id}{' '}
        <span className="quiet">{t('identity.studies', { n: detail.patient.study_count })}</span>
      </p>
      {detail.can_decide && (
        <>
          <div className="desk-acts">
            {matched !== null && (
              <Button type="primary" onClick={() => setAsked({ kind: 'link', orderId: matched.id })}>
                {t('identity.linkMatched')}
              </Button>
            )}
            <Button onClick={() => setAsked({ kind: 'keep' })}>{t('identity.keep')}</Button>
            <Button danger onClick={() => setAsked({ kind: 'reject' })}>
              {t('identity.reject')}
            </Button>
          </div>
          <CandidateList detail={detail} onDecide={setAsked} />
        </>
      )}
      <Decisions detail={detail} />
      {detail.can_undo && <Button onClick={() => setAsked({ kind: 'undo' })}>{t('identity.undo')}</Button>}
      {asked !== null && (
        <ReasonDialog
          title={t(`identity.${asked.kind}`)}
          confirm={t('identity.confirm')}
          danger={asked.kind === 'reject'}
          onConfirm={decide}
          onClose={() => setAsked(null)}
        >
          <p>{t(`identity.explain.${asked.kind}`)}</p>
        </ReasonDialog>
      )}
    </>
  );
}

const isTelling = (row: ComparedRow): boolean => row.agrees === false && row.attribute !== 'study_instance_uid';

/** Order and images line by line; what differs stands out by colour and sign. */
function Comparison({ rows }: { rows: readonly ComparedRow[] }) {
  const { t, language } = useLanguage();
  return (
    <table className="table compare" aria-label={t('identity.compare')}>
      <thead>
        <tr>
          <th scope="col">{t('identity.column.attribute')}</th>
          <th scope="col">{t('identity.column.ordered')}</th>
          <th scope="col">{t('identity.column.header')}</th>
          <th scope="col" className="compare-sign" aria-label={t('identity.agrees')} />
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          // A device may have made its own Study Instance UID: that alone tells of no other patient.
          <tr key={row.attribute} className={isTelling(row) ? 'compare-differs' : undefined}>
            <th scope="row">{t(`identity.row.${row.attribute}`)}</th>
            <td>{valueWords(language, row.attribute, row.ordered)}</td>
            <td>{valueWords(language, row.attribute, row.header)}</td>
            <td className="compare-sign">
              {row.agrees === true && <CheckOutlined aria-label={t('identity.agrees')} />}
              {isTelling(row) && <CloseOutlined aria-label={t('identity.differs')} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Decisions({ detail }: { detail: CaseDetail }) {
  const { t } = useLanguage();
  if (detail.decisions.length === 0) return null;
  return (
    <section className="desk-decisions" aria-label={t('identity.decisions')}>
      <h3>{t('identity.decisions')}</h3>
      <ul>
        {detail.decisions.map((decision) => (
          <li key={`${decision.at} ${decision.kind}`} className={decision.undone ? 'desk-undone' : undefined}>
            <strong>{t(`identity.decision.${decision.kind}`)}</strong>
            {decision.undone && <span className="quiet"> ({t('identity.undone')})</span>}{' '}
            <span className="quiet">
              {t('identity.by', { name: decision.person.display_name, time: formatDateTime(decision.at) })}
            </span>
            <div>{decision.reason}</div>
          </li>
        ))}
      </ul>
    </section>
  );
}
