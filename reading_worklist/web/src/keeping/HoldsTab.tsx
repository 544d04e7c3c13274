import { App, Button } from 'antd';
import { useState } from 'react';

import type { LegalHold } from '../api/types';
import { Empty } from '../design/Notice';
import { Pager } from '../design/Pager';
import { Name } from '../design/PatientName';
import { ReasonDialog } from '../design/ReasonDialog';
import { type Column, Table } from '../design/Table';
import { useLanguage } from '../i18n/language';
import { siteOf } from '../i18n/siteName';
import { Who } from './PurgesTab';
import { useHolds, useKeepingAct } from './queries';
import { Failed } from './UsageTab';

/** Whose records must stay, whatever their age; released holds stay in the list. */
export function HoldsTab() {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const [page, setPage] = useState(1);
  const [releasing, setReleasing] = useState<LegalHold | null>(null);
  const holds = useHolds(page);
  const { mutateAsync } = useKeepingAct();
  const columns = useColumns(setReleasing);
  return (
    <>
      {holds.isError && <Failed error={holds.error} onRetry={() => void holds.refetch()} />}
      {holds.data?.total === 0 ? (
        <div className="page-empty">
          <Empty title={t('hold.empty.title')} text={t('hold.empty.text')} />
        </div>
      ) : (
        <Table
          label={t('hold.table')}
          columns={columns}
          rows={holds.data?.items ?? (holds.isError ? [] : null)}
          rowKey={(hold) => hold.id}
          old={holds.isPlaceholderData}
        />
      )}
      <Pager page={page} pageSize={holds.data?.page_size ?? 50} total={holds.data?.total ?? 0} onPage={setPage} />
      {releasing !== null && (
        <ReasonDialog
          title={`${t('hold.release')} · ${releasing.patient_name}`}
          confirm={t('hold.release')}
          danger
          onConfirm={async (text) => {
            await mutateAsync({ kind: 'release', holdId: releasing.id, text });
            void message.success(t('hold.released'));
          }}
          onClose={() => setReleasing(null)}
        >
          <p>{t('hold.releaseExplain')}</p>
        </ReasonDialog>
      )}
    </>
  );
}

function useColumns(onRelease: (hold: LegalHold) => void): Column<LegalHold>[] {
  const { t, language } = useLanguage();
  return [
    {
      key: 'patient',
      heading: t('keeping.column.patient'),
      width: 200,
      cell: (hold) => (
        <>
          <span className="strong">
            <Name name={hold.patient_name} latin={hold.patient_latin_name} />
          </span>
          <div className="quiet small">{hold.local_id}</div>
        </>
      ),
    },
    { key: 'site', heading: t('keeping.column.site'), width: 150, cell: (hold) => siteOf(language, hold) },
    {
      key: 'what',
      heading: t('hold.column.what'),
      width: 170,
      cell: (hold) => (hold.study_id === null ? t('hold.wholePatient') : t('hold.oneStudy')),
    },
    { key: 'reason', heading: t('keeping.column.reason'), cell: (hold) => hold.reason },
    {
      key: 'set',
      heading: t('hold.column.set'),
      width: 130,
      cell: (hold) => <Who name={hold.set_by} at={hold.set_at} />,
    },
    {
      key: 'action',
      heading: t('keeping.column.action'),
      width: 150,
      cell: (hold) =>
        hold.released_at === null ? (
          <Button size="small" onClick={() => onRelease(hold)}>
            {t('hold.release')}
          </Button>
        ) : (
          <span className="quiet">
            {t('hold.released')}
            <Who name={hold.released_by ?? ''} at={hold.released_at} />
          </span>
        ),
    },
  ];
}
