import { Button, Segmented } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';

import { useMinute } from '../design/clock';
import { QueryTable } from '../design/QueryTable';
import type { Column } from '../design/Table';
import { useListFilter } from '../design/useListFilter';
import { formatShortTime, formatSize } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { DropZone } from './DropZone';
import { FileState } from './FileState';
import { nameOf } from './name';
import { type EcgFile, type EcgFileState, useEcgFiles } from './queries';
import { WhoseDialog } from './WhoseDialog';
import { whyOf } from './why';
import './ecgFiles.css';

const FILTERS = ['all', 'waiting', 'unread'] as const;
const STATES: Record<(typeof FILTERS)[number], readonly EcgFileState[]> = {
  all: [],
  waiting: ['NEEDS_PATIENT'],
  unread: ['UNREADABLE', 'REFUSED'],
};

/** ECG files of the site: sent by hand here, by machines or from a watched folder, and what became of each. */
export function EcgFilesPage() {
  const { t } = useLanguage();
  const { filter, onFilter } = useListFilter(FILTERS);
  const [page, setPage] = useState(1);
  const [asked, setAsked] = useState<EcgFile | null>(null);
  const files = useEcgFiles(STATES[filter], page);
  const columns = useColumns(setAsked);
  const waiting = files.data?.waiting ?? 0;
  const more = files.data?.more === true;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('ecgFiles.title')}</h1>
        <Segmented
          aria-label={t('ecgFiles.filter')}
          value={filter}
          options={FILTERS.map((each) => ({
            value: each,
            label: t(`ecgFiles.filter.${each}`) + (each === 'waiting' && waiting > 0 ? ` ${String(waiting)}` : ''),
          }))}
          onChange={(chosen) => {
            onFilter(chosen);
            setPage(1);
          }}
        />
      </div>
      <DropZone onAsk={setAsked} />
      <QueryTable
        query={files}
        failed={t('ecgFiles.failed')}
        empty={
          filter === 'all'
            ? { title: t('ecgFiles.empty.title'), text: t('ecgFiles.empty.text') }
            : { title: t('ecgFiles.none.title') }
        }
        label={t('ecgFiles.table')}
        columns={columns}
        rowKey={(file) => file.id}
      />
      {(page > 1 || more) && (
        <footer className="ecg-files-pages">
          <Button size="small" disabled={page === 1} onClick={() => setPage(page - 1)}>
            {t('list.previousPage')}
          </Button>
          <Button size="small" disabled={!more} onClick={() => setPage(page + 1)}>
            {t('list.nextPage')}
          </Button>
        </footer>
      )}
      {asked !== null && <WhoseDialog file={asked} onClose={() => setAsked(null)} />}
    </div>
  );
}

function useColumns(onAsk: (file: EcgFile) => void): Column<EcgFile>[] {
  const { t } = useLanguage();
  const now = useMinute();
  return [
    {
      key: 'received',
      heading: t('ecgFiles.column.received'),
      width: 110,
      cell: (file) => formatShortTime(file.received_at, now),
    },
    { key: 'file', heading: t('ecgFiles.column.file'), width: 240, cell: (file) => <FileCell file={file} /> },
    {
      key: 'patient',
      heading: t('ecgFiles.column.patient'),
      width: 150,
      cell: (file) => nameOf(file) || <span className="quiet">{t('app.none')}</span>,
    },
    { key: 'content', heading: t('ecgFiles.column.content'), width: 210, cell: (file) => <Content file={file} /> },
    {
      key: 'state',
      heading: t('ecgFiles.column.state'),
      cell: (file) => <Result file={file} onAsk={() => onAsk(file)} />,
    },
  ];
}

function FileCell({ file }: { file: EcgFile }) {
  const { language } = useLanguage();
  return (
    <div className="ecg-files-name">
      <span title={file.file_name}>{file.file_name}</span>
      <span className="quiet">
        {file.format ?? ''} {formatSize(language, file.size)}
      </span>
    </div>
  );
}

function Content({ file }: { file: EcgFile }) {
  const { t } = useLanguage();
  const { summary } = file;
  if (summary === null) return <span className="quiet">{t('app.none')}</span>;
  return (
    <div className="ecg-files-name">
      <span>{t('ecgFiles.leads', { n: summary.leads.length, seconds: Math.round(summary.seconds) })}</span>
      {typeof summary.acquired_at === 'string' && (
        <span className="quiet">
          {t('ecgFiles.acquired', { time: summary.acquired_at.slice(0, 16).replace('T', ' ') })}
        </span>
      )}
    </div>
  );
}

function Result({ file, onAsk }: { file: EcgFile; onAsk: () => void }) {
  const { t, language } = useLanguage();
  const { problem } = file;
  return (
    <div className="ecg-files-result">
      <FileState state={file.state} />
      {problem !== null && (
        <span className="ecg-files-why" title={problem.found}>
          {whyOf(language, problem)}
        </span>
      )}
      {file.state === 'NEEDS_PATIENT' && (
        <Button size="small" type="primary" onClick={onAsk}>
          {t('ecgFiles.whose')}
        </Button>
      )}
      {file.workitem_id !== null && <Link to={`/portal/${file.workitem_id}`}>{t('ecgFiles.exam')}</Link>}
      {file.state !== 'REFUSED' && <a href={`/api/ecg-files/${file.id}/original`}>{t('ecgFiles.original')}</a>}
    </div>
  );
}
