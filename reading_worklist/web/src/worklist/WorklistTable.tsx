import { useEffect, useRef } from 'react';

import type { Workitem } from '../api/types';
import type { PlainKey } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import type { Selection } from './selection';
import { WorklistRow } from './WorklistRow';

const COLUMNS = [
  'priority',
  'due',
  'patient',
  'id',
  'site',
  'modality',
  'study',
  'images',
  'examined',
  'queued',
  'state',
  'doctor',
  'action',
] as const;

const HEADINGS: Record<(typeof COLUMNS)[number], PlainKey> = {
  priority: 'worklist.column.priority',
  due: 'worklist.column.due',
  patient: 'worklist.column.patient',
  id: 'patient.id',
  site: 'worklist.column.site',
  modality: 'worklist.column.modality',
  study: 'worklist.column.study',
  images: 'worklist.column.images',
  examined: 'worklist.column.examined',
  queued: 'worklist.column.queued',
  state: 'worklist.column.state',
  doctor: 'worklist.column.doctor',
  action: 'worklist.column.action',
};

interface WorklistTableProps {
  /** null while the first answer is awaited. */
  items: readonly Workitem[] | null;
  failed: boolean;
  /** The rows belong to an earlier filter while the new one loads. */
  old: boolean;
  selection: Selection;
  claiming: string | null;
  onOpen: (item: Workitem) => void;
  onClaim: (item: Workitem) => void;
}

export function WorklistTable({ items, failed, old, selection, claiming, onOpen, onClaim }: WorklistTableProps) {
  const { t } = useLanguage();
  const scroller = useRef<HTMLDivElement>(null);
  const selectedId = selection.selected?.id ?? null;

  useEffect(() => {
    if (selectedId === null) return;
    scroller.current?.querySelector('tr[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [selectedId]);

  return (
    <div ref={scroller} className={`worklist-scroll${old ? ' worklist-old' : ''}`}>
      {/* The keyboard moves a selection, not the focus, so it must be said. */}
      <p className="visually-hidden" role="status">
        {selection.selected !== null && t('worklist.selected', { patient: selection.selected.patient.name })}
      </p>
      <table className="worklist-table" aria-label={t('worklist.table')} aria-busy={(items === null && !failed) || old}>
        <thead>
          <tr>
            {COLUMNS.map((column) => (
              <th key={column} scope="col" className={`col-${column}`}>
                {t(HEADINGS[column])}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items === null && !failed && <SkeletonRows />}
          {items?.map((item) => (
            <WorklistRow
              key={item.id}
              item={item}
              selected={item.id === selectedId}
              claiming={item.id === claiming}
              onSelect={selection.select}
              onOpen={onOpen}
              onClaim={onClaim}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

const SKELETON_ROWS = 12;

function SkeletonRows() {
  return Array.from({ length: SKELETON_ROWS }, (_, row) => (
    <tr key={row} className="worklist-skeleton" aria-hidden="true">
      {COLUMNS.map((column) => (
        <td key={column} className={`col-${column}`}>
          <span />
        </td>
      ))}
    </tr>
  ));
}
