import { PlusOutlined } from '@ant-design/icons';
import { App, Button } from 'antd';
import { useState } from 'react';

import type { Destination } from '../api/types';
import { Chip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { QueryTable } from '../design/QueryTable';
import { ReasonDialog } from '../design/ReasonDialog';
import type { Column } from '../design/Table';
import { useLanguage } from '../i18n/language';
import { siteOf } from '../i18n/siteName';
import { DestinationDialog } from './DestinationDialog';
import { useDestinations, useSwitchDestination, useTryDestination } from './destinationQueries';
import { Trial } from './Trial';
import './deliveries.css';

/** Where the reports of each site go, for who looks after its machines. */
export function DestinationsPage() {
  const { t } = useLanguage();
  const destinations = useDestinations();
  /** null: no dialog; `new`: a destination that is not there yet. */
  const [edited, setEdited] = useState<Destination | 'new' | null>(null);
  const [switched, setSwitched] = useState<Destination | null>(null);
  const trial = useTryDestination();
  const columns = useColumns(setEdited, setSwitched, useTry(trial.mutate));
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
      {trial.isError && (
        <div className="page-problem">
          <ProblemNotice heading={t('trial.failed')} error={trial.error} />
        </div>
      )}
      <QueryTable
        query={destinations}
        failed={t('destinations.failed')}
        empty={{ title: t('destinations.empty.title'), text: t('destinations.empty.text') }}
        label={t('destinations.table')}
        columns={columns}
        rowKey={(one) => one.id}
      />
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

/** Tries a destination; before people get a message, it is asked whether they shall. */
function useTry(onTry: (id: string) => void): (one: Destination) => void {
  const { t } = useLanguage();
  const { modal } = App.useApp();
  return (one) => {
    if (one.kind !== 'notice') {
      onTry(one.id);
      return;
    }
    modal.confirm({
      title: t('trial.notice.title'),
      content: t('trial.notice.text', { where: one.label }),
      okText: t('trial.try'),
      cancelText: t('app.cancel'),
      onOk: () => onTry(one.id),
    });
  };
}

function useColumns(
  onEdit: (one: Destination) => void,
  onSwitch: (one: Destination) => void,
  onTry: (one: Destination) => void,
): Column<Destination>[] {
  const { t, language } = useLanguage();
  return [
    {
      key: 'site',
      heading: t('destinations.column.site'),
      width: '14%',
      cell: (one) => <span className="strong">{siteOf(language, one)}</span>,
    },
    {
      key: 'kind',
      heading: t('destinations.column.kind'),
      width: 150,
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
      width: 84,
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
      key: 'trial',
      heading: t('trial.column'),
      width: '24%',
      cell: (one) => <Trial destination={one} />,
    },
    {
      key: 'act',
      heading: t('queues.column.act'),
      width: 230,
      cell: (one) => (
        <span className="queue-acts">
          <Button size="small" loading={one.trial?.is_running === true} onClick={() => onTry(one)}>
            {t('trial.try')}
          </Button>
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
