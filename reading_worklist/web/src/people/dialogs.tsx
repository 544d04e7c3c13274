import { Button, Input, Modal, Select } from 'antd';
import { useState } from 'react';

import { FormDialog } from '../design/FormDialog';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { type Days, DaysFields, Field, TextField, unordered } from '../design/Field';
import { roleNames } from '../session/roleNames';
import type { components } from '../api/schema';
import { type HeldRole, type IdentityBody, type Place, type RoleBody, useAddPerson } from './queries';
import { ROLES } from './words';

/** A person and a password that is shown this once. */
export type Secret = components['schemas']['OneTimePassword'];

function usePlaceOptions(places: readonly Place[]): { value: string; label: string }[] {
  const { language } = useLanguage();
  return places.map((one) => ({ value: one.code, label: siteName(language, one) }));
}

const periodOf = ({ from, until }: Days) => ({
  valid_from: from === '' ? null : from,
  valid_until: until === '' ? null : until,
});

export function AddPersonDialog({
  places,
  onClose,
  onAdded,
}: {
  places: readonly Place[];
  onClose: () => void;
  onAdded: (secret: Secret) => void;
}) {
  const { t, language } = useLanguage();
  const add = useAddPerson();
  const [login, setLogin] = useState('');
  const [name, setName] = useState('');
  const [organisation, setOrganisation] = useState<string | null>(null);
  const [roles, setRoles] = useState<HeldRole['role'][]>([]);
  const [days, setDays] = useState<Days>({ from: '', until: '' });
  const [tried, setTried] = useState(false);
  const missing = (empty: boolean): string | null => (tried && empty ? t('people.missing') : null);
  const options = usePlaceOptions(places);
  return (
    <FormDialog
      title={t('people.add')}
      ok={t('people.add')}
      ready={() => {
        setTried(true);
        return (
          login.trim() !== '' && name.trim() !== '' && organisation !== null && roles.length > 0 && !unordered(days)
        );
      }}
      onSave={async () => {
        onAdded(
          await add.mutateAsync({
            login,
            display_name: name,
            organisation: organisation ?? '',
            roles,
            ...periodOf(days),
          }),
        );
      }}
      onClose={onClose}
    >
      <TextField
        label={t('people.name')}
        error={missing(name.trim() === '')}
        autoFocus
        value={name}
        onChange={setName}
      />
      <TextField
        label={t('people.login')}
        error={missing(login.trim() === '')}
        hint={t('people.login.hint')}
        value={login}
        onChange={(typed) => setLogin(typed.toLowerCase())}
      />
      <Field label={t('people.organisation')} error={missing(organisation === null)} wide>
        {(id) => (
          <Select
            id={id}
            showSearch={{ optionFilterProp: 'label' }}
            value={organisation}
            options={options}
            onChange={setOrganisation}
          />
        )}
      </Field>
      <Field label={t('people.roles')} error={missing(roles.length === 0)} wide>
        {(id) => (
          <Select
            id={id}
            mode="multiple"
            showSearch={{ optionFilterProp: 'label' }}
            value={roles}
            options={ROLES.map((value) => ({ value, label: roleNames(language, [value]) }))}
            onChange={setRoles}
          />
        )}
      </Field>
      <DaysFields hint={t('people.until.hint')} days={days} onChange={setDays} />
    </FormDialog>
  );
}

export function RoleDialog({
  places,
  held,
  onSave,
  onClose,
}: {
  places: readonly Place[];
  /** The role whose dates change; null for a new one. */
  held: HeldRole | null;
  onSave: (role: RoleBody) => Promise<unknown>;
  onClose: () => void;
}) {
  const { t, language } = useLanguage();
  const [organisation, setOrganisation] = useState<string | null>(held?.organisation_code ?? null);
  const [role, setRole] = useState<HeldRole['role'] | null>(held?.role ?? null);
  const [days, setDays] = useState<Days>({ from: held?.valid_from ?? '', until: held?.valid_until ?? '' });
  const [tried, setTried] = useState(false);
  const missing = (empty: boolean): string | null => (tried && empty ? t('people.missing') : null);
  const options = usePlaceOptions(places);
  return (
    <FormDialog
      title={t(held === null ? 'people.giveRole' : 'people.changeDates')}
      ok={t('app.save')}
      ready={() => {
        setTried(true);
        return organisation !== null && role !== null && !unordered(days);
      }}
      onSave={async () => {
        if (organisation !== null && role !== null) await onSave({ organisation, role, ...periodOf(days) });
      }}
      onClose={onClose}
    >
      <Field label={t('people.organisation')} error={missing(organisation === null)} wide>
        {(id) => (
          <Select
            id={id}
            autoFocus={held === null}
            disabled={held !== null}
            showSearch={{ optionFilterProp: 'label' }}
            value={organisation}
            options={options}
            onChange={setOrganisation}
          />
        )}
      </Field>
      <Field label={t('people.role')} error={missing(role === null)} wide>
        {(id) => (
          <Select
            id={id}
            disabled={held !== null}
            showSearch={{ optionFilterProp: 'label' }}
            value={role}
            options={ROLES.map((value) => ({ value, label: roleNames(language, [value]) }))}
            onChange={setRole}
          />
        )}
      </Field>
      <DaysFields hint={t('people.until.hint')} days={days} onChange={setDays} />
    </FormDialog>
  );
}

export function IdentityDialog({
  providers,
  onSave,
  onClose,
}: {
  providers: readonly string[];
  onSave: (identity: IdentityBody) => Promise<unknown>;
  onClose: () => void;
}) {
  const { t } = useLanguage();
  const [provider, setProvider] = useState(providers[0] ?? '');
  const [email, setEmail] = useState('');
  const [subject, setSubject] = useState('');
  const [tried, setTried] = useState(false);
  const missing = email.trim() === '' && subject.trim() === '';
  return (
    <FormDialog
      title={t('people.identities')}
      ok={t('app.save')}
      ready={() => {
        setTried(true);
        return !missing;
      }}
      onSave={() => onSave({ provider, email: email.trim() || null, subject: subject.trim() || null })}
      onClose={onClose}
    >
      <Field label={t('people.identity.provider')} wide>
        {(id) => (
          <Select
            id={id}
            value={provider}
            options={providers.map((value) => ({ value, label: value }))}
            onChange={setProvider}
          />
        )}
      </Field>
      <Field label={t('people.identity.email')} error={tried && missing ? t('people.identity.missing') : null}>
        {(id) => (
          <Input id={id} autoFocus maxLength={254} value={email} onChange={(event) => setEmail(event.target.value)} />
        )}
      </Field>
      <Field label={t('people.identity.subject')}>
        {(id) => <Input id={id} maxLength={255} value={subject} onChange={(event) => setSubject(event.target.value)} />}
      </Field>
    </FormDialog>
  );
}

/** Shows a one-time password to whoever passes it on. */
export function SecretDialog({ secret, onClose }: { secret: Secret; onClose: () => void }) {
  const { t } = useLanguage();
  return (
    <Modal
      open
      width={480}
      title={t('people.secret')}
      closable={false}
      mask={{ closable: false }}
      footer={
        <Button type="primary" autoFocus onClick={onClose}>
          {t('people.secret.close')}
        </Button>
      }
      onCancel={onClose}
    >
      <p>{t('people.secret.text', { name: secret.person.display_name, login: secret.person.login })}</p>
      <code className="people-secret">{secret.password}</code>
    </Modal>
  );
}
