import { PlusOutlined } from '@ant-design/icons';
import { App, Button, Checkbox, Input, InputNumber, Segmented, Select } from 'antd';
import { useState } from 'react';

import type { Lane } from '../api/types';
import { Chip } from '../design/Chip';
import { Field } from '../design/Field';
import { FormDialog } from '../design/FormDialog';
import { QueryTable } from '../design/QueryTable';
import { useShortcuts } from '../design/shortcuts';
import type { Column } from '../design/Table';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useReaders } from '../worklist/queries';
import { type Group, type GroupBody, useGroups, useRoutingAct } from './queries';
import './rules.css';

const LANES = ['imaging', 'ecg'] as const satisfies readonly Lane[];
const CODE = /^[A-Za-z0-9_-]{1,64}$/;
const MOST = 10_000;

/** The groups that exams are read in: who belongs to them, and how much each may have. */
export function GroupsPage() {
  const { t } = useLanguage();
  const groups = useGroups();
  const [editing, setEditing] = useState<Group | 'new' | null>(null);
  const columns = useColumns(setEditing);
  useShortcuts({ n: () => setEditing('new') });
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('groups.title')}</h1>
        <span className="page-note">{t('groups.intro')}</span>
        <span className="page-space" />
        <Button type="primary" icon={<PlusOutlined />} className="groups-add" onClick={() => setEditing('new')}>
          {t('groups.add')}
        </Button>
      </div>
      <QueryTable
        query={groups}
        failed={t('groups.failed')}
        empty={{ title: t('groups.empty.title'), text: t('groups.empty.text') }}
        label={t('groups.table')}
        columns={columns}
        rowKey={(group) => group.id}
      />
      {editing !== null && <GroupDialog group={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />}
    </div>
  );
}

function useColumns(onEdit: (group: Group) => void): Column<Group>[] {
  const { t, language } = useLanguage();
  return [
    {
      key: 'name',
      heading: t('groups.column.name'),
      width: 190,
      cell: (group) => (
        <>
          <span className="strong">{siteName(language, group)}</span>
          <div className="quiet small">{group.code}</div>
        </>
      ),
    },
    { key: 'lane', heading: t('groups.column.lane'), width: 90, cell: (group) => t(`lane.${group.lane}`) },
    {
      key: 'members',
      heading: t('groups.column.members'),
      cell: (group) =>
        group.members.length === 0 ? (
          <span className="quiet">{t('groups.everybody')}</span>
        ) : (
          group.members.map((person) => person.display_name).join(t('app.listSeparator'))
        ),
    },
    {
      key: 'limit',
      heading: t('groups.column.limit'),
      width: 110,
      cell: (group) =>
        group.open_limit === null ? (
          <span className="quiet">{t('groups.noLimit')}</span>
        ) : (
          t('groups.limit', { n: group.open_limit })
        ),
    },
    {
      key: 'state',
      heading: t('groups.column.state'),
      width: 110,
      cell: (group) => (
        <Chip tone={group.active ? 'green' : 'slate'} hollow={!group.active}>
          {t(group.active ? 'groups.active' : 'groups.inactive')}
        </Chip>
      ),
    },
    {
      key: 'action',
      heading: t('groups.column.action'),
      width: 100,
      cell: (group) => (
        <Button
          size="small"
          className="group-edit"
          aria-label={`${t('groups.edit')} ${group.name}`}
          onClick={() => onEdit(group)}
        >
          {t('groups.edit')}
        </Button>
      ),
    },
  ];
}

function GroupDialog({ group, onClose }: { group: Group | null; onClose: () => void }) {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const readers = useReaders();
  const { mutateAsync } = useRoutingAct();
  const [code, setCode] = useState(group?.code ?? '');
  const [body, setBody] = useState<GroupBody>({
    name: group?.name ?? '',
    name_en: group?.name_en ?? '',
    lane: group?.lane ?? 'imaging',
    active: group?.active ?? true,
    open_limit: group?.open_limit ?? null,
    members: group?.members.map((person) => person.id) ?? [],
  });
  const [tried, setTried] = useState(false);
  const put = (part: Partial<GroupBody>): void => setBody({ ...body, ...part });
  const missing = code.trim() === '' || body.name.trim() === '' || body.name_en.trim() === '';
  const badCode = code.trim() !== '' && !CODE.test(code.trim());
  const save = async (): Promise<void> => {
    await mutateAsync({
      kind: 'group',
      code: code.trim(),
      body: { ...body, name: body.name.trim(), name_en: body.name_en.trim() },
    });
    void message.success(t('groups.saved'));
  };
  // Who left the group's roles is still its member until somebody takes him out.
  const known = new Map((group?.members ?? []).map((person) => [person.id, person.display_name]));
  for (const reader of readers.data ?? []) known.set(reader.id, reader.display_name);
  return (
    <FormDialog
      width={640}
      title={group === null ? t('groups.add') : siteName(language, group)}
      ok={t('app.save')}
      ready={() => {
        setTried(true);
        return !missing && !badCode;
      }}
      onSave={save}
      onClose={onClose}
      complaint={tried && missing && t('groups.form.missing')}
    >
      <Field
        label={t('groups.form.code')}
        hint={t('groups.form.codeHint')}
        error={badCode ? t('groups.form.badCode') : null}
      >
        {(id) => (
          <Input
            id={id}
            maxLength={64}
            autoFocus={group === null}
            disabled={group !== null}
            value={code}
            onChange={(event) => setCode(event.target.value)}
          />
        )}
      </Field>
      <Field label={t('groups.form.lane')}>
        {(id) => (
          <Segmented
            id={id}
            disabled={group !== null}
            value={body.lane}
            options={LANES.map((value) => ({ value, label: t(`lane.${value}`) }))}
            onChange={(lane) => put({ lane })}
          />
        )}
      </Field>
      <Field label={t('groups.form.name')}>
        {(id) => (
          <Input
            id={id}
            maxLength={100}
            autoFocus={group !== null}
            value={body.name}
            onChange={(event) => put({ name: event.target.value })}
          />
        )}
      </Field>
      <Field label={t('groups.form.nameEn')}>
        {(id) => (
          <Input
            id={id}
            maxLength={100}
            value={body.name_en}
            onChange={(event) => put({ name_en: event.target.value })}
          />
        )}
      </Field>
      <Field label={t('groups.form.members')} hint={t('groups.form.membersHint')} wide>
        {(id) => (
          <Select
            id={id}
            mode="multiple"
            showSearch={{ optionFilterProp: 'label' }}
            loading={readers.isPending}
            value={body.members}
            options={[...known].map(([value, label]) => ({ value, label }))}
            onChange={(members) => put({ members })}
          />
        )}
      </Field>
      <Field label={t('groups.form.limit')} hint={t('groups.form.limitHint')}>
        {(id) => (
          <InputNumber
            id={id}
            min={1}
            max={MOST}
            precision={0}
            placeholder={t('groups.noLimit')}
            value={body.open_limit ?? null}
            onChange={(open_limit) => put({ open_limit })}
          />
        )}
      </Field>
      <div className="field field-end">
        <Checkbox checked={body.active} onChange={(event) => put({ active: event.target.checked })}>
          {t('groups.form.active')}
        </Checkbox>
      </div>
    </FormDialog>
  );
}
