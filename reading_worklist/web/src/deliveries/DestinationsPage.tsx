import { PlusOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useState } from 'react';

import type { Destination } from '../api/types';
import { Chip } from '../design/Chip';
import { Empty, ProblemNotice } from '../design/Notice';
import { ReasonDialog } from '../design/ReasonDialog';
import { type Column, Table } from '../design/Table';
import { useLanguage } from '../i18n/language';
import { siteOf } from '../i18n/siteName';
import { DestinationDialog } from './DestinationDialog';
import { useDestinations, useSwitchDestination } from './destinationQueries';
import './deliveries.css';

/** Where the reports of each site go, for who looks after its machines. */
export function DestinationsPage() {
  const { t } = useLanguage();
  const destinations = useDestinations();
  /** null: no dialog; `new`: a destination that is not there yet. */
  const [edited, setEdited] = useState<Destination | 'new' | null>(null);
  const [switched, setSwitched] = useState<Destination | null>(null);
  const columns = useColumns(setEdited, setSwitched);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('destinations.title')}</h1>
        <span className="page-space" />
        <Button type="primary" icon={<PlusOutlined />} onClick={() => setEdited('new')}>
          {t('destinations.add')}
        </Button>
      </div>
      <p className="page-intro">{t('destinations.files.note')}</p>
      {destinations.isError && (
        <div className="page-problem">
          <ProblemNotice
            heading={t('destinations.failed')}
            error={destinations.error}
            onRetry={() => void destinations.refetch()}
          />
        </div>
      )}
      {destinations.data?.length === 0 ? (
        <div className="page-empty">
          <Empty title={t('destinations.empty.title')} text={t('destinations.empty.text')} />
        </div>
      ) : (
        <Table
          label={t('destinations.table')}
          columns={columns}
          rows={destinations.data ?? (destinations.isError ? [] : null)}
          rowKey={(one) => one.id}
        />
      )}
      {edited !== null && (
        <DestinationDialog destination={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />
      )}
      {switched !== null && <SwitchDialog destination={switched} onClose={() => setSwitched(null)} />}
    </div>
  );
}

function SwitchDialog({ destination, onClose }: { destination: Destination; onClose: () => void }) {
  const { t } = useLanguage();
  const change = useSwitchDestination();
  const words = destination.active ? 'destinations.switchOff' : 'destinations.switchOn';
  return (
    <ReasonDialog
      title={`${t(words)} · ${destination.label}`}
      confirm={t(words)}
      danger={destination.active}
      onConfirm={(reason) => change.mutateAsync({ id: destination.id, active: !destination.active, reason })}
      onClose={onClose}
    >
      <p>{t(`${words}.text`)}</p>
    </ReasonDialog>
  );
}

function useColumns(onEdit: (one: Destination) => void, onSwitch: (one: Destination) => void): Column<Destination>[] {
  const { t, language } = useLanguage();
  return [
    {
      key: 'site',
      heading: t('destinations.column.site'),
      width: '20%',
      cell: (one) => <span className="strong">{siteOf(language, one)}</span>,
    },
    {
      key: 'kind',
      heading: t('destinations.column.kind'),
      width: 190,
      cell: (one) => t(`destinations.kind.${one.kind}`),
    },
    {
      key: 'where',
      heading: t('destinations.column.where'),
      cell: (one) => (
        <>
          {one.label}
          {one.files.length > 0 && (
            <div className="quiet small">{t('destinations.files', { files: one.files.join(', ') })}</div>
          )}
        </>
      ),
    },
    {
      key: 'state',
      heading: t('destinations.column.state'),
      width: 100,
      cell: (one) =>
        one.active ? (
          <Chip tone="green">{t('destinations.on')}</Chip>
        ) : (
          <Chip tone="slate" hollow>
            {t('destinations.off')}
          </Chip>
        ),
    },
    {
      key: 'act',
      heading: t('queues.column.act'),
      width: 190,
      cell: (one) => (
        <span className="queue-acts">
          <Button size="small" onClick={() => onEdit(one)}>
            {t('destinations.edit')}
          </Button>
          <Button size="small" onClick={() => onSwitch(one)}>
            {t(one.active ? 'destinations.switchOff' : 'destinations.switchOn')}
          </Button>
        </span>
      ),
    },
  ];
}
