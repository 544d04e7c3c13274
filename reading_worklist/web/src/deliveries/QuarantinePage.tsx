import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';

import type { QuarantineRow } from '../api/types';
import { Chip } from '../design/Chip';
import { useMinute } from '../design/clock';
import { Pager } from '../design/Pager';
import { QueryTable } from '../design/QueryTable';
import type { Column } from '../design/Table';
import { isPlainKey } from '../i18n/catalogue';
import { formatDateTime, formatShortTime, formatSize } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useQuarantine } from './queries';
import { QuarantineEntry } from './QuarantineEntry';

/** What was received but could not be filed: kept as it came, with the reason, for a person to decide. */
export function QuarantinePage() {
  const { id } = useParams();
  return id === undefined ? <QuarantineList /> : <QuarantineEntry key={id} id={id} />;
}

function QuarantineList() {
  const navigate = useNavigate();
  const { t } = useLanguage();
  const [page, setPage] = useState(1);
  const quarantine = useQuarantine(page);
  const columns = useColumns();
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('quarantine.title')}</h1>
        <span className="page-note">{t('quarantine.intro')}</span>
      </div>
      <QueryTable
        query={quarantine}
        failed={t('quarantine.failed')}
        empty={{ title: t('quarantine.empty.title'), text: t('quarantine.empty.text') }}
        label={t('quarantine.table')}
        columns={columns}
        rowKey={(row) => row.id}
        onRow={(row) => void navigate(`/quarantine/${row.id}`)}
      />
      <Pager
        page={page}
        pageSize={quarantine.data?.page_size ?? 50}
        total={quarantine.data?.total ?? 0}
        onPage={setPage}
      />
    </div>
  );
}

function useColumns(): Column<QuarantineRow>[] {
  const { t, language } = useLanguage();
  const now = useMinute();
  return [
    {
      key: 'received',
      heading: t('quarantine.column.received'),
      width: 120,
      cell: (row) => <span title={formatDateTime(row.received_at)}>{formatShortTime(row.received_at, now)}</span>,
    },
    {
      key: 'source',
      heading: t('quarantine.column.source'),
      width: '22%',
      cell: (row) => (
        <>
          {row.site_name === null
            ? t('quarantine.unknownSite')
            : siteName(language, { name: row.site_name, name_en: row.site_name_en ?? '' })}
          <div className="quiet small">
            {[row.device_name, row.calling_ae_title].filter((part) => part !== null && part !== '').join(' · ')}
          </div>
        </>
      ),
    },
    { key: 'reason', heading: t('quarantine.column.reason'), cell: (row) => <Reason row={row} /> },
    {
      key: 'size',
      heading: t('quarantine.column.size'),
      width: 90,
      cell: (row) => formatSize(language, row.object_size),
    },
    {
      key: 'state',
      heading: t('quarantine.column.state'),
      width: 150,
      cell: (row) =>
        row.resolved_at === null ? (
          <Chip tone="amber" hollow>
            {t('quarantine.open')}
          </Chip>
        ) : (
          <Chip tone="green">{t('quarantine.resolved', { time: formatShortTime(row.resolved_at, now) })}</Chip>
        ),
    },
  ];
}

function Reason({ row }: { row: QuarantineRow }) {
  const { t } = useLanguage();
  const key = `quarantine.reason.${row.reason}`;
  const { expected, found, remedy } = row.detail;
  return (
    <>
      <Link className="strong" to={`/quarantine/${row.id}`} title={t('quarantine.show')}>
        {isPlainKey(key) ? t(key) : row.reason}
      </Link>
      {row.sop_instance_uid !== null && <div className="quiet small">{row.sop_instance_uid}</div>}
      {[
        [t('problem.expected'), expected],
        [t('problem.found'), found],
        [t('problem.remedy'), remedy],
      ].map(
        ([name, value]) =>
          value !== undefined &&
          value !== '' && (
            <div key={name} className="small">
              <span className="quiet">{name}</span> {value}
            </div>
          ),
      )}
    </>
  );
}
