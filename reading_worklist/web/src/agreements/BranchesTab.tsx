import { App, Button, type RefSelectProps, Select } from 'antd';
import { useRef, useState } from 'react';

import { Field, TextField } from '../design/Field';
import { FormDialog } from '../design/FormDialog';
import { QueryTable } from '../design/QueryTable';
import { ReasonDialog } from '../design/ReasonDialog';
import type { Column } from '../design/Table';
import { useLanguage } from '../i18n/language';
import { siteOf } from '../i18n/siteName';
import { type Branch, type SiteBranches, useAgreementAct, useBranches } from './queries';

interface Line {
  site: SiteBranches;
  branch: Branch;
}

/** In which branch or village clinic of its site a machine stands, as reports print it. */
export function BranchesTab() {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const sites = useBranches();
  const { mutateAsync } = useAgreementAct();
  const [edited, setEdited] = useState<Line | 'new' | null>(null);
  const [closing, setClosing] = useState<Line | null>(null);
  const columns = useColumns(setEdited, setClosing);
  const lines = sites.data?.flatMap((site) => site.branches.map((branch) => ({ site, branch })));
  return (
    <>
      <p className="agreements-note">
        <span>{t('branches.intro')}</span>
        <Button className="agreements-add" onClick={() => setEdited('new')}>
          {t('branches.add')}
        </Button>
      </p>
      <QueryTable
        query={{ ...sites, data: lines }}
        failed={t('branches.failed')}
        empty={{ title: t('branches.empty.title'), text: t('branches.empty.text') }}
        label={t('branches.table')}
        columns={columns}
        rowKey={({ site, branch }) => `${site.site_code}/${branch.name}`}
      />
      {edited !== null && (
        <BranchDialog
          sites={sites.data ?? []}
          line={edited === 'new' ? null : edited}
          onClose={() => setEdited(null)}
        />
      )}
      {closing !== null && (
        <ReasonDialog
          title={`${t('branches.close')} · ${closing.branch.name}`}
          confirm={t('branches.close')}
          danger
          onConfirm={async (reason) => {
            const body = { site_code: closing.site.site_code, branch: closing.branch.name, reason };
            await mutateAsync({ kind: 'branch-close', body });
            void message.success(t('branches.closed'));
          }}
          onClose={() => setClosing(null)}
        >
          <p>{t('branches.closeExplain')}</p>
        </ReasonDialog>
      )}
    </>
  );
}

function useColumns(onEdit: (line: Line) => void, onClose: (line: Line) => void): Column<Line>[] {
  const { t, language } = useLanguage();
  return [
    {
      key: 'site',
      heading: t('branches.column.site'),
      width: '24%',
      cell: ({ site }) => <span className="strong">{siteOf(language, site)}</span>,
    },
    {
      key: 'branch',
      heading: t('branches.column.branch'),
      width: '28%',
      cell: ({ branch }) => (
        <>
          {branch.name}
          {branch.name_en !== '' && <div className="quiet small">{branch.name_en}</div>}
        </>
      ),
    },
    {
      key: 'devices',
      heading: t('branches.column.devices'),
      cell: ({ branch }) => branch.devices.join(t('app.listSeparator')),
    },
    {
      key: 'action',
      heading: t('agreements.column.action'),
      width: 150,
      cell: (line) => (
        <span className="branches-buttons">
          <Button size="small" onClick={() => onEdit(line)}>
            {t('branches.change')}
          </Button>
          <Button size="small" onClick={() => onClose(line)}>
            {t('branches.close')}
          </Button>
        </span>
      ),
    },
  ];
}

function BranchDialog({
  sites,
  line,
  onClose,
}: {
  sites: readonly SiteBranches[];
  /** null adds one. */
  line: Line | null;
  onClose: () => void;
}) {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync } = useAgreementAct();
  const first = useRef<RefSelectProps>(null);
  const [code, setCode] = useState(line?.site.site_code ?? '');
  const [name, setName] = useState(line?.branch.name ?? '');
  const [english, setEnglish] = useState(line?.branch.name_en ?? '');
  const [devices, setDevices] = useState(line?.branch.devices ?? []);
  const [tried, setTried] = useState(false);
  const site = sites.find((one) => one.site_code === code);
  const missing = code === '' || name.trim() === '' || devices.length === 0;
  const save = async (): Promise<void> => {
    const body = { site_code: code, name: name.trim(), name_en: english.trim(), devices };
    if (line === null) await mutateAsync({ kind: 'branch', body });
    else await mutateAsync({ kind: 'branch-change', body: { ...body, branch: line.branch.name } });
    void message.success(t('branches.saved'));
  };
  return (
    <FormDialog
      title={t(line === null ? 'branches.add' : 'branches.change')}
      ok={t('app.save')}
      ready={() => {
        setTried(true);
        return !missing;
      }}
      onSave={save}
      onClose={onClose}
      onOpened={() => first.current?.focus()}
      complaint={tried && missing && t('branches.form.missing')}
    >
      <Field label={t('branches.column.site')} wide>
        {(id) => (
          <Select
            id={id}
            ref={first}
            disabled={line !== null}
            showSearch={{ optionFilterProp: 'label' }}
            value={code || null}
            options={sites.map((one) => ({ value: one.site_code, label: siteOf(language, one) }))}
            onChange={(chosen) => {
              setCode(chosen);
              setDevices([]);
            }}
          />
        )}
      </Field>
      <TextField label={t('branches.form.name')} value={name} onChange={setName} />
      <TextField label={t('branches.form.nameEn')} value={english} onChange={setEnglish} />
      <Field label={t('branches.column.devices')} hint={t('branches.form.devicesHint')} wide>
        {(id) => (
          <Select
            id={id}
            mode="multiple"
            showSearch={{ optionFilterProp: 'label' }}
            value={devices}
            options={(site?.devices ?? []).map((one) => ({
              value: one.ae_title,
              label: [one.ae_title, one.name, one.branch === line?.branch.name ? '' : one.branch]
                .filter((part) => part !== '')
                .join(' · '),
              disabled: one.branch !== '' && one.branch !== line?.branch.name,
            }))}
            onChange={setDevices}
          />
        )}
      </Field>
    </FormDialog>
  );
}
