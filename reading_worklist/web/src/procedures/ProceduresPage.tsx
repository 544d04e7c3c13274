import { PlusOutlined } from '@ant-design/icons';
import { Button, Input, type InputRef, Select } from 'antd';
import { useRef, useState } from 'react';

import { Chip } from '../design/Chip';
import { QueryTable } from '../design/QueryTable';
import { useShortcuts } from '../design/shortcuts';
import type { Column } from '../design/Table';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { ProcedureDialog } from './ProcedureDialog';
import { type Procedure, useAllProcedures } from './queries';
import './procedures.css';

const NONE: readonly Procedure[] = [];

/** What sites choose from when they order an exam. */
export function ProceduresPage() {
  const { t } = useLanguage();
  const query = useAllProcedures();
  const all = query.data ?? NONE;
  const [modality, setModality] = useState<string | null>(null);
  const [text, setText] = useState('');
  const [editing, setEditing] = useState<Procedure | 'new' | null>(null);
  const search = useRef<InputRef>(null);
  const columns = useColumns(setEditing);
  useShortcuts({ n: () => setEditing('new'), '/': () => search.current?.focus() });
  const wanted = text.trim().toLowerCase();
  const shown = all.filter(
    (one) =>
      (modality === null || one.modality === modality) &&
      [one.code, one.name, one.name_en].some((word) => word.toLowerCase().includes(wanted)),
  );
  const modalities = [...new Set(all.map((one) => one.modality))];
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('procedures.title')}</h1>
        <span className="page-note">{t('procedures.intro')}</span>
        <span className="page-space" />
        <Select
          aria-label={t('procedures.modality')}
          className="procedures-modality"
          value={modality ?? ''}
          options={[{ value: '', label: t('procedures.all') }, ...modalities.map((value) => ({ value, label: value }))]}
          onChange={(value) => setModality(value === '' ? null : value)}
        />
        <Input
          ref={search}
          allowClear
          aria-label={t('procedures.search')}
          placeholder={t('procedures.search')}
          className="procedures-search"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="primary" icon={<PlusOutlined />} onClick={() => setEditing('new')}>
          {t('procedures.add')}
        </Button>
      </div>
      <QueryTable
        query={{ ...query, data: query.data === undefined ? undefined : shown }}
        failed={t('procedures.failed')}
        empty={
          all.length === 0
            ? { title: t('procedures.empty.title'), text: t('procedures.empty.text') }
            : { title: t('procedures.nothing') }
        }
        label={t('procedures.table')}
        columns={columns}
        rowKey={(one) => one.code}
      />
      {editing !== null && (
        <ProcedureDialog
          procedure={editing === 'new' ? null : editing}
          all={all}
          modality={modality}
          onClose={() => setEditing(null)}
        />
      )}
    </div>
  );
}

function useColumns(onEdit: (procedure: Procedure) => void): Column<Procedure>[] {
  const { t, language } = useLanguage();
  return [
    {
      key: 'name',
      heading: t('procedures.column.name'),
      width: 230,
      cell: (one) => (
        <>
          <span className="strong">{siteName(language, one)}</span>
          <div className="quiet small">{one.code}</div>
        </>
      ),
    },
    {
      key: 'other',
      heading: t('procedures.column.other'),
      cell: (one) => <span className="quiet">{language === 'zh-CN' ? one.name_en : one.name}</span>,
    },
    { key: 'modality', heading: t('procedures.modality'), width: 90, cell: (one) => one.modality },
    { key: 'bodyPart', heading: t('procedures.column.bodyPart'), width: 130, cell: (one) => one.body_part },
    {
      key: 'laterality',
      heading: t('procedures.column.laterality'),
      width: 100,
      cell: (one) => (
        <span className={one.laterality === 'required' ? 'strong' : 'quiet'}>
          {t(`procedures.laterality.${one.laterality}`)}
        </span>
      ),
    },
    {
      key: 'contrast',
      heading: t('procedures.column.contrast'),
      width: 90,
      cell: (one) => (one.contrast ? t('procedures.contrast.yes') : <span className="quiet">{t('app.none')}</span>),
    },
    {
      key: 'state',
      heading: t('procedures.column.state'),
      width: 115,
      cell: (one) => (
        <Chip tone={one.active ? 'green' : 'slate'} hollow={!one.active}>
          {t(one.active ? 'procedures.active' : 'procedures.inactive')}
        </Chip>
      ),
    },
    {
      key: 'action',
      heading: t('procedures.column.action'),
      width: 90,
      cell: (one) => (
        <Button size="small" aria-label={`${t('procedures.edit')} ${one.name}`} onClick={() => onEdit(one)}>
          {t('procedures.edit')}
        </Button>
      ),
    },
  ];
}
