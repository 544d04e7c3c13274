import { DownOutlined, RightOutlined } from '@ant-design/icons';
import { App, Button, Skeleton } from 'antd';
import { useState } from 'react';

import type { Purge } from '../api/types';
import { Chip, type Tone } from '../design/Chip';
import { Empty, ProblemNotice } from '../design/Notice';
import { Pager } from '../design/Pager';
import { Name } from '../design/PatientName';
import { ReasonDialog } from '../design/ReasonDialog';
import { type Column, Table } from '../design/Table';
import { formatDateTime, formatSize } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteOf } from '../i18n/siteName';
import { Obstacles } from './Obstacles';
import { type PurgeDecision, useKeepingAct, usePurge, usePurges } from './queries';
import { Failed } from './UsageTab';

const TONES: Record<Purge['state'], Tone> = {
  PROPOSED: 'amber',
  APPROVED: 'blue',
  EXECUTING: 'blue',
  DONE: 'green',
  REJECTED: 'slate',
  WITHDRAWN: 'slate',
};
const DECISIONS = ['approve', 'reject', 'withdraw'] as const satisfies readonly PurgeDecision[];

/** What shall be removed for good: proposed by one, decided by another. */
export function PurgesTab() {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const [page, setPage] = useState(1);
  const [openId, setOpenId] = useState<string | null>(null);
  const [asked, setAsked] = useState<{ purge: Purge; decision: PurgeDecision } | null>(null);
  const purges = usePurges(page);
  const { mutateAsync } = useKeepingAct();
  const columns = useColumns(openId, setOpenId, (purge, decision) => setAsked({ purge, decision }));
  return (
    <>
      {purges.isError && <Failed error={purges.error} onRetry={() => void purges.refetch()} />}
      {purges.data?.total === 0 ? (
        <div className="page-empty">
          <Empty title={t('purge.empty.title')} text={t('purge.empty.text')} />
        </div>
      ) : (
        <Table
          label={t('purge.table')}
          columns={columns}
          rows={purges.data?.items ?? (purges.isError ? [] : null)}
          rowKey={(purge) => purge.id}
          below={(purge) => (purge.id === openId ? <Studies id={purge.id} /> : null)}
          old={purges.isPlaceholderData}
        />
      )}
      <Pager page={page} pageSize={purges.data?.page_size ?? 50} total={purges.data?.total ?? 0} onPage={setPage} />
      {asked !== null && (
        <ReasonDialog
          title={t(`purge.act.${asked.decision}`)}
          confirm={t(`purge.act.${asked.decision}`)}
          danger={asked.decision === 'approve'}
          optional={asked.decision !== 'reject'}
          onConfirm={async (text) => {
            await mutateAsync({ kind: asked.decision, purgeId: asked.purge.id, text });
            void message.success(t(`purge.act.${asked.decision}`));
          }}
          onClose={() => setAsked(null)}
        >
          <p>{t(`purge.explain.${asked.decision}`)}</p>
          <Studies id={asked.purge.id} />
        </ReasonDialog>
      )}
    </>
  );
}

function useColumns(
  openId: string | null,
  onOpen: (id: string | null) => void,
  onAsk: (purge: Purge, decision: PurgeDecision) => void,
): Column<Purge>[] {
  const { t, language } = useLanguage();
  return [
    {
      key: 'state',
      heading: t('keeping.column.state'),
      width: 150,
      cell: (purge) => {
        const isOpen = purge.id === openId;
        return (
          <span className="purge-state">
            <Button
              type="text"
              size="small"
              aria-expanded={isOpen}
              aria-label={t('purge.studies')}
              icon={isOpen ? <DownOutlined /> : <RightOutlined />}
              onClick={() => onOpen(isOpen ? null : purge.id)}
            />
            <Chip tone={TONES[purge.state]} hollow={purge.state === 'PROPOSED'}>
              {t(`purge.state.${purge.state}`)}
            </Chip>
          </span>
        );
      },
    },
    { key: 'site', heading: t('keeping.column.site'), width: 140, cell: (purge) => siteOf(language, purge) },
    {
      key: 'content',
      heading: t('purge.column.content'),
      width: 160,
      cell: (purge) => (
        <>
          {t('purge.content', { n: purge.studies, size: formatSize(language, purge.bytes) })}
          {(purge.purged > 0 || purge.kept > 0) && (
            <div className="quiet small">{t('purge.progress', { purged: purge.purged, kept: purge.kept })}</div>
          )}
        </>
      ),
    },
    {
      key: 'reason',
      heading: t('keeping.column.reason'),
      cell: (purge) => (
        <>
          {purge.reason}
          {purge.comment !== null && purge.comment !== '' && <div className="quiet small">{purge.comment}</div>}
        </>
      ),
    },
    {
      key: 'proposed',
      heading: t('purge.column.proposed'),
      width: 130,
      cell: (purge) => <Who name={purge.proposed_by} at={purge.proposed_at} />,
    },
    {
      key: 'decided',
      heading: t('purge.column.decided'),
      width: 130,
      cell: (purge) =>
        purge.decided_by === null || purge.decided_at === null ? (
          <span className="quiet">{t('app.none')}</span>
        ) : (
          <Who name={purge.decided_by} at={purge.decided_at} />
        ),
    },
    {
      key: 'action',
      heading: t('keeping.column.action'),
      width: 170,
      cell: (purge) => (
        <span className="purge-acts">
          {DECISIONS.filter((decision) => purge.actions.includes(decision)).map((decision) => (
            <Button key={decision} size="small" danger={decision === 'approve'} onClick={() => onAsk(purge, decision)}>
              {t(`purge.act.${decision}`)}
            </Button>
          ))}
        </span>
      ),
    },
  ];
}

export function Who({ name, at }: { name: string; at: string }) {
  return (
    <>
      {name}
      <div className="quiet small">{formatDateTime(at)}</div>
    </>
  );
}

/** Every study of a purge: whose it is, and what stands against its removal now. */
function Studies({ id }: { id: string }) {
  const { t, language } = useLanguage();
  const { data, isError, error, refetch } = usePurge(id);
  if (isError) return <ProblemNotice error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Skeleton active title={false} paragraph={{ rows: 2 }} />;
  return (
    <ul className="purge-studies" aria-label={t('purge.studies')}>
      {data.study_list.map((study) => (
        <li key={study.study_id}>
          <strong>
            <Name name={study.patient_name} latin={study.patient_latin_name} />
          </strong>{' '}
          {study.local_id}{' '}
          <span className="quiet">
            {[
              study.study_date,
              study.modalities.join(' '),
              study.study_description,
              formatSize(language, study.bytes),
              t(`purge.fate.${study.fate}`),
            ]
              .filter(Boolean)
              .join(' · ')}
          </span>{' '}
          <Obstacles words={study.fate === 'WAITING' ? study.obstacles : []} />
        </li>
      ))}
    </ul>
  );
}
