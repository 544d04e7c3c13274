import { App, Input, InputNumber, Select, Switch } from 'antd';
import { useState } from 'react';

import type { Destination } from '../api/types';
import { Field } from '../design/Field';
import { FormDialog } from '../design/FormDialog';
import { useSites } from '../design/sites';
import { useLanguage } from '../i18n/language';
import { siteName, siteOf } from '../i18n/siteName';
import { type Setting, SETTINGS } from './destinationSettings';
import { type SettingValue, useKeepDestination } from './destinationQueries';

const KINDS = ['dicom', 'hl7', 'fhir', 'notice', 'webhook'] as const satisfies readonly Destination['kind'][];
const HIGHEST_PORT = 65_535;

type Values = Record<string, SettingValue>;

function initialOf(kind: Destination['kind'], kept: Destination | null): Values {
  const settings = (kept?.settings ?? {}) as Values;
  return Object.fromEntries(SETTINGS[kind].map(({ name, initial }) => [name, settings[name] ?? initial ?? '']));
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
  const isNew = destination === null;
  const complete =
    site !== null &&
    !(isNew && kind === 'webhook') &&
    SETTINGS[kind].every((setting) => setting.required !== true || isFilled(values[setting.name]));
  const save = async (): Promise<void> => {
    if (site === null) return;
    // What a page does not ask for stays as it is.
    const others = isNew ? {} : (destination.settings as Values);
    const filled = Object.fromEntries(Object.entries(values).filter(([, value]) => isFilled(value)));
    await keep.mutateAsync({
      id: destination?.id ?? null,
      siteCode: site,
      kind,
      name,
      notifyAvailability: kind === 'dicom' && availability,
      settings: { ...others, ...filled },
    });
    void message.success(t('destinations.kept'));
  };
  return (
    <FormDialog
      title={t(isNew ? 'destinations.add' : 'destinations.edit')}
      ok={t('app.save')}
      disabled={!complete}
      ready={() => complete}
      onSave={save}
      onClose={onClose}
    >
      <SiteField fixed={destination} site={site} onSite={setSite} />
      <Field label={t('destinations.form.kind')}>
        {(id) => (
          <Select
            id={id}
            disabled={!isNew}
            value={kind}
            options={KINDS.map((one) => ({ value: one, label: t(`destinations.kind.${one}`) }))}
            onChange={(chosen) => {
              setKind(chosen);
              setValues(initialOf(chosen, null));
            }}
          />
        )}
      </Field>
      {isNew && kind === 'webhook' ? (
        <p className="field-wide destination-command">
          {t('destinations.kind.webhook.note')}
          <code>{`rdc destination connect ${site ?? '…'} webhook url=https://… secret_file=…`}</code>
        </p>
      ) : (
        <>
          <Field label={t('destinations.form.name')} wide>
            {(id) => (
              <Input
                id={id}
                maxLength={100}
                placeholder={t('destinations.form.nameHint')}
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
          {SETTINGS[kind].map((setting) => (
            <Field key={`${kind} ${setting.name}`} label={t(setting.label)} wide={setting.type === 'lines'}>
              {(id) => (
                <Control
                  id={id}
                  setting={setting}
                  value={values[setting.name] ?? ''}
                  onValue={(value) => setValues((old) => ({ ...old, [setting.name]: value }))}
                />
              )}
            </Field>
          ))}
          {kind === 'dicom' && (
            <Field label={t('destinations.form.availability')}>
              {(id) => (
                <span>
                  <Switch id={id} checked={availability} onChange={setAvailability} />
                </span>
              )}
            </Field>
          )}
        </>
      )}
    </FormDialog>
  );
}

function isFilled(value: SettingValue | undefined): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== '';
}

function SiteField({
  fixed,
  site,
  onSite,
}: {
  fixed: Destination | null;
  site: string | null;
  onSite: (code: string) => void;
}) {
  const { t, language } = useLanguage();
  const sites = useSites(fixed === null);
  const options =
    fixed === null
      ? (sites.data ?? []).map((one) => ({ value: one.code, label: siteName(language, one) }))
      : [{ value: fixed.site_code, label: siteOf(language, fixed) }];
  return (
    <Field label={t('destinations.form.site')}>
      {(id) => (
        <Select
          id={id}
          disabled={fixed !== null}
          showSearch={{ optionFilterProp: 'label' }}
          value={site}
          options={options}
          onChange={onSite}
        />
      )}
    </Field>
  );
}

function Control({
  id,
  setting,
  value,
  onValue,
}: {
  id: string;
  setting: Setting;
  value: SettingValue;
  onValue: (value: SettingValue) => void;
}) {
  const { t } = useLanguage();
  switch (setting.type) {
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
          options={(setting.choices ?? []).map(([one, label]) => ({
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
