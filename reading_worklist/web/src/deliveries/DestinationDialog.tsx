import { App, Input, InputNumber, Modal, Select, Switch } from 'antd';
import { useId, useState } from 'react';

import type { Destination } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { useSites } from '../design/sites';
import { useLanguage } from '../i18n/language';
import { siteName, siteOf } from '../i18n/siteName';
import { type Field, FIELDS } from './destinationFields';
import { type SettingValue, useKeepDestination } from './destinationQueries';

const KINDS = ['dicom', 'hl7', 'fhir', 'notice', 'webhook'] as const satisfies readonly Destination['kind'][];
const HIGHEST_PORT = 65_535;

type Values = Record<string, SettingValue>;

function initialOf(kind: Destination['kind'], kept: Destination | null): Values {
  const settings = (kept?.settings ?? {}) as Values;
  return Object.fromEntries(FIELDS[kind].map((field) => [field.name, settings[field.name] ?? field.initial ?? '']));
}

/** Adds a destination, or changes one; stays open with the refusal when the server says no. */
export function DestinationDialog({ destination, onClose }: { destination: Destination | null; onClose: () => void }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const keep = useKeepDestination();
  const [kind, setKind] = useState<Destination['kind']>(destination?.kind ?? 'dicom');
  const [site, setSite] = useState<string | null>(destination?.site_code ?? null);
  const [name, setName] = useState(destination?.name ?? '');
  const [availability, setAvailability] = useState(destination?.notify_availability ?? false);
  const [values, setValues] = useState<Values>(() => initialOf(kind, destination));
  const ids = { name: useId(), kind: useId(), availability: useId() };
  const isNew = destination === null;
  const complete =
    site !== null &&
    !(isNew && kind === 'webhook') &&
    FIELDS[kind].every((field) => field.required !== true || isFilled(values[field.name]));
  const save = async (): Promise<void> => {
    if (!complete || keep.isPending) return;
    // What a page does not ask for stays as it is.
    const others = isNew ? {} : (destination.settings as Values);
    const filled = Object.fromEntries(Object.entries(values).filter(([, value]) => isFilled(value)));
    try {
      await keep.mutateAsync({
        id: destination?.id ?? null,
        siteCode: site,
        kind,
        name,
        notifyAvailability: kind === 'dicom' && availability,
        settings: { ...others, ...filled },
      });
      void message.success(t('destinations.kept'));
      onClose();
    } catch {
      // The notice below says why.
    }
  };
  return (
    <Modal
      open
      width={520}
      title={t(isNew ? 'destinations.add' : 'destinations.edit')}
      okText={t('app.save')}
      okButtonProps={{ disabled: !complete }}
      cancelText={t('app.cancel')}
      confirmLoading={keep.isPending}
      mask={{ closable: false }}
      onOk={() => void save()}
      onCancel={onClose}
    >
      <div className="destination-form">
        <Site fixed={destination} site={site} onSite={setSite} />
        <label htmlFor={ids.kind}>{t('destinations.form.kind')}</label>
        <Select
          id={ids.kind}
          disabled={!isNew}
          value={kind}
          options={KINDS.map((one) => ({ value: one, label: t(`destinations.kind.${one}`) }))}
          onChange={(chosen) => {
            setKind(chosen);
            setValues(initialOf(chosen, null));
          }}
        />
        {isNew && kind === 'webhook' ? (
          <p className="destination-wide">
            {t('destinations.kind.webhook.note')}
            <code>{`rdc destination connect ${site ?? '…'} webhook url=https://… secret_file=…`}</code>
          </p>
        ) : (
          <>
            <label htmlFor={ids.name}>{t('destinations.form.name')}</label>
            <Input
              id={ids.name}
              maxLength={100}
              placeholder={t('destinations.form.nameHint')}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
            {FIELDS[kind].map((field) => (
              <Setting
                key={`${kind} ${field.name}`}
                field={field}
                value={values[field.name] ?? ''}
                onValue={(value) => setValues((old) => ({ ...old, [field.name]: value }))}
              />
            ))}
            {kind === 'dicom' && (
              <>
                <label htmlFor={ids.availability}>{t('destinations.form.availability')}</label>
                <span>
                  <Switch id={ids.availability} checked={availability} onChange={setAvailability} />
                </span>
              </>
            )}
          </>
        )}
      </div>
      {keep.error !== null && <ProblemNotice error={keep.error} />}
    </Modal>
  );
}

function isFilled(value: SettingValue | undefined): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== '';
}

function Site({
  fixed,
  site,
  onSite,
}: {
  fixed: Destination | null;
  site: string | null;
  onSite: (code: string) => void;
}) {
  const { t, language } = useLanguage();
  const id = useId();
  const sites = useSites(fixed === null);
  const options =
    fixed === null
      ? (sites.data ?? []).map((one) => ({ value: one.code, label: siteName(language, one) }))
      : [{ value: fixed.site_code, label: siteOf(language, fixed) }];
  return (
    <>
      <label htmlFor={id}>{t('destinations.form.site')}</label>
      <Select
        id={id}
        disabled={fixed !== null}
        showSearch={{ optionFilterProp: 'label' }}
        value={site}
        options={options}
        onChange={onSite}
      />
    </>
  );
}

function Setting({
  field,
  value,
  onValue,
}: {
  field: Field;
  value: SettingValue;
  onValue: (value: SettingValue) => void;
}) {
  const { t } = useLanguage();
  const id = useId();
  return (
    <>
      <label htmlFor={id}>{t(field.label)}</label>
      <Control id={id} field={field} value={value} onValue={onValue} />
    </>
  );
}

function Control({
  id,
  field,
  value,
  onValue,
}: {
  id: string;
  field: Field;
  value: SettingValue;
  onValue: (value: SettingValue) => void;
}) {
  const { t } = useLanguage();
  switch (field.type) {
    case 'number':
      return (
        <InputNumber
          id={id}
          min={1}
          max={HIGHEST_PORT}
          value={typeof value === 'number' ? value : null}
          onChange={(number) => onValue(number)}
        />
      );
    case 'switch':
      return (
        <span>
          <Switch id={id} checked={value === true} onChange={onValue} />
        </span>
      );
    case 'choice':
      return (
        <Select
          id={id}
          value={String(value)}
          options={(field.choices ?? []).map(([one, label]) => ({
            value: one,
            label: label === null ? one : t(label),
          }))}
          onChange={onValue}
        />
      );
    case 'lines':
      return (
        <Input.TextArea
          id={id}
          rows={3}
          value={Array.isArray(value) ? value.join('\n') : ''}
          onChange={(event) => onValue(event.target.value.split('\n').filter((line) => line.trim() !== ''))}
        />
      );
    case 'text':
      return (
        <Input
          id={id}
          maxLength={500}
          value={typeof value === 'string' ? value : ''}
          onChange={(event) => onValue(event.target.value)}
        />
      );
  }
}
