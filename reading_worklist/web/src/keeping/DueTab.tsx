import { App, Button, Checkbox } from 'antd';
import { useState } from 'react';

import type { DuePatient } from '../api/types';
import { Empty } from '../design/Notice';
import { Pager } from '../design/Pager';
import { Name } from '../design/PatientName';
import { ReasonDialog } from '../design/ReasonDialog';
import { type Column, Table } from '../design/Table';
import { formatSize } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteOf } from '../i18n/siteName';
import { useSession } from '../session/session';
import { Obstacles } from './Obstacles';
import { useDue, useKeepingAct } from './queries';
import { isSelectable, isSelected, NOTHING, type Selection, toggled } from './selection';
import { Failed } from './UsageTab';

const DECIDERS = ['consortium_admin', 'system_admin'];

/** Patients whose records need not be kept any more; an administrator proposes what shall go. */
export function DueTab() {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const { data: session } = useSession();
  const [page, setPage] = useState(1);
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const [proposing, setProposing] = useState(false);
  const [holding, setHolding] = useState<DuePatient | null>(null);
  const due = useDue(page);
  const { mutateAsync } = useKeepingAct();
  const mayPropose = session?.roles.some((role) => DECIDERS.includes(role)) ?? false;
  const columns = useColumns(mayPropose ? { selection, setSelection } : null, setHolding);
  const bytes = (due.data?.items ?? [])
    .flatMap((patient) => patient.studies)
    .filter((study) => selection.studyIds.has(study.study_id))
    .reduce((sum, study) => sum + study.bytes, 0);
  const count = selection.studyIds.size;
  return (
    <>
      <p className="page-intro">
        <span>{t('due.intro')}</span>
        {mayPropose && (
          <span className="keeping-act">
            {count > 0 && t('due.selected', { n: count, size: formatSize(language, bytes) })}
            <Button danger disabled={count === 0} onClick={() => setProposing(true)}>
              {t('due.propose')}
            </Button>
          </span>
        )}
      </p>
      {due.isError && <Failed error={due.error} onRetry={() => void due.refetch()} />}
      {due.data?.total === 0 ? (
        <div className="page-empty">
          <Empty title={t('due.empty.title')} text={t('due.empty.text')} />
        </div>
      ) : (
        <Table
          label={t('due.table')}
          columns={columns}
          rows={due.data?.items ?? (due.isError ? [] : null)}
          rowKey={(patient) => patient.patient_id}
          old={due.isPlaceholderData}
        />
      )}
      <Pager
        page={page}
        pageSize={due.data?.page_size ?? 50}
        total={due.data?.total ?? 0}
        onPage={(next) => {
          // What is no longer in sight must not be proposed.
          setSelection(NOTHING);
          setPage(next);
        }}
      />
      {proposing && (
        <ReasonDialog
          title={t('due.propose')}
          confirm={t('due.propose')}
          danger
          onConfirm={async (text) => {
            await mutateAsync({ kind: 'propose', studyIds: [...selection.studyIds], text });
            setSelection(NOTHING);
            void message.success(t('due.proposed'));
          }}
          onClose={() => setProposing(false)}
        >
          <p>{t('due.proposeExplain', { n: count })}</p>
        </ReasonDialog>
      )}
      {holding !== null && (
        <ReasonDialog
          title={`${t('due.hold')} · ${holding.patient_name}`}
          confirm={t('due.hold')}
          onConfirm={async (text) => {
            await mutateAsync({ kind: 'hold', patientId: holding.patient_id, text });
            setSelection(NOTHING);
            void message.success(t('due.held'));
          }}
          onClose={() => setHolding(null)}
        >
          <p>{t('due.holdExplain')}</p>
        </ReasonDialog>
      )}
    </>
  );
}

function useColumns(
  choosing: { selection: Selection; setSelection: (next: Selection) => void } | null,
  onHold: (patient: DuePatient) => void,
): Column<DuePatient>[] {
  const { t, language } = useLanguage();
  return [
    {
      key: 'patient',
      heading: t('keeping.column.patient'),
      width: 220,
      cell: (patient) => (
        <span className="due-patient">
          {choosing !== null && (
            <Checkbox
              aria-label={t('due.select', { name: patient.patient_name })}
              checked={isSelected(choosing.selection, patient)}
              disabled={!isSelectable(choosing.selection, patient)}
              onChange={() => choosing.setSelection(toggled(choosing.selection, patient))}
            />
          )}
          <span>
            <span className="strong">
              <Name name={patient.patient_name} latin={patient.patient_latin_name} />
            </span>
            <div className="quiet small">{patient.local_id}</div>
          </span>
        </span>
      ),
    },
    { key: 'site', heading: t('keeping.column.site'), width: 150, cell: (patient) => siteOf(language, patient) },
    { key: 'last', heading: t('due.column.lastVisit'), width: 110, cell: (patient) => patient.last_visit },
    { key: 'since', heading: t('due.column.since'), width: 110, cell: (patient) => patient.due_on },
    {
      key: 'studies',
      heading: t('due.column.studies'),
      cell: (patient) => (
        <ul className="due-studies">
          {patient.studies.map((study) => (
            <li key={study.study_id}>
              {[
                study.study_date,
                study.modalities.join(' '),
                study.study_description,
                formatSize(language, study.bytes),
              ]
                .filter(Boolean)
                .join(' · ')}{' '}
              <Obstacles words={study.obstacles} />
            </li>
          ))}
        </ul>
      ),
    },
    {
      key: 'action',
      heading: t('keeping.column.action'),
      width: 150,
      cell: (patient) => (
        <Button size="small" onClick={() => onHold(patient)}>
          {t('due.hold')}
        </Button>
      ),
    },
  ];
}
