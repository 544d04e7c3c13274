import { Button, Input, InputNumber, Modal, Select } from 'antd';
import { type ComponentRef, useRef, useState } from 'react';

import { CopyButton } from '../design/CopyButton';
import { FormDialog } from '../design/FormDialog';
import { ReasonDialog } from '../design/ReasonDialog';
import { useLanguage } from '../i18n/language';
import { siteName, siteOf } from '../i18n/siteName';
import { Field, TextField } from '../design/Field';
import { isFingerprint } from './choosing';
import {
  type MadeToken,
  type NewToken,
  type Token,
  type TokenSite,
  useMakeToken,
  useRevokeToken,
  useRotateToken,
} from './queries';

const SCOPES = ['ecg-files', 'fhir', 'reports'] as const;
const PROOFS = ['bearer', 'certificate', 'both'] as const;
const YEAR = 365;
const LONGEST = 3650;
const OVERLAP = 7;
const LONGEST_OVERLAP = 90;

function DaysField({ label, value, onChange }: { label: string; value: number; onChange: (days: number) => void }) {
  return (
    <Field label={label}>
      {(id) => (
        <InputNumber
          id={id}
          min={1}
          max={LONGEST}
          precision={0}
          value={value}
          onChange={(days) => onChange(days ?? YEAR)}
        />
      )}
    </Field>
  );
}

function CertificateField({
  value,
  hint,
  tried,
  optional = false,
  onChange,
}: {
  value: string;
  hint: string;
  tried: boolean;
  optional?: boolean;
  onChange: (text: string) => void;
}) {
  const { t } = useLanguage();
  const wrong = !isFingerprint(value) && !(optional && value.trim() === '');
  return (
    <Field
      label={t('tokens.certificate')}
      error={tried && wrong ? t('tokens.certificate.wrong') : null}
      hint={hint}
      wide
    >
      {(id) => (
        <Input
          id={id}
          className="tokens-mono"
          maxLength={120}
          autoComplete="off"
          spellCheck={false}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

export function MakeDialog({
  sites,
  onClose,
  onMade,
}: {
  sites: readonly TokenSite[];
  onClose: () => void;
  onMade: (made: MadeToken) => void;
}) {
  const { t, language } = useLanguage();
  const make = useMakeToken();
  const [site, setSite] = useState<string | null>(sites.length === 1 ? (sites[0]?.code ?? null) : null);
  const [device, setDevice] = useState('');
  const [name, setName] = useState('');
  const [scope, setScope] = useState<NewToken['scope'] | null>(null);
  const [proof, setProof] = useState<NewToken['proof']>('bearer');
  const [certificate, setCertificate] = useState('');
  const [days, setDays] = useState(YEAR);
  const [tried, setTried] = useState(false);
  const first = useRef<ComponentRef<typeof Select>>(null);
  const missing = (empty: boolean): string | null => (tried && empty ? t('tokens.missing') : null);
  const devices = sites.find((one) => one.code === site)?.devices ?? [];
  const own = devices.find((one) => one.ae_title === device);
  const unbound = own !== undefined && proof !== 'bearer' && !own.bound;
  const wantsCertificate = proof !== 'bearer' && own === undefined;
  return (
    <FormDialog
      title={t('tokens.make')}
      ok={t('tokens.make')}
      ready={() => {
        setTried(true);
        const filled = site !== null && scope !== null && name.trim() !== '';
        return filled && !unbound && (!wantsCertificate || isFingerprint(certificate));
      }}
      onSave={async () => {
        if (site === null || scope === null) return;
        const chosenDevice = device === '' ? null : device;
        const fingerprint = wantsCertificate ? certificate : null;
        onMade(
          await make.mutateAsync({ site, device: chosenDevice, name, scope, proof, certificate: fingerprint, days }),
        );
      }}
      onClose={onClose}
      onOpened={() => first.current?.focus()}
    >
      <Field label={t('tokens.site')} error={missing(site === null)}>
        {(id) => (
          <Select
            id={id}
            ref={first}
            showSearch={{ optionFilterProp: 'label' }}
            value={site}
            options={sites.map((one) => ({ value: one.code, label: siteName(language, one) }))}
            onChange={(code) => {
              setSite(code);
              setDevice('');
            }}
          />
        )}
      </Field>
      <Field label={t('tokens.device')} error={unbound ? t('tokens.unbound', { device }) : null}>
        {(id) => (
          <Select
            id={id}
            showSearch={{ optionFilterProp: 'label' }}
            value={device}
            options={[
              { value: '', label: t('tokens.device.none') },
              ...devices.map((one) => ({
                value: one.ae_title,
                label: one.name === '' ? one.ae_title : `${one.ae_title} · ${one.name}`,
              })),
            ]}
            onChange={(title) => {
              setDevice(title);
              const found = devices.find((one) => one.ae_title === title);
              if (name.trim() === '' && found !== undefined) setName(found.name || found.ae_title);
            }}
          />
        )}
      </Field>
      <TextField
        label={t('tokens.name')}
        error={missing(name.trim() === '')}
        hint={t('tokens.name.hint')}
        value={name}
        onChange={setName}
      />
      <Field label={t('tokens.column.scope')} error={missing(scope === null)}>
        {(id) => (
          <Select
            id={id}
            value={scope}
            options={SCOPES.map((value) => ({ value, label: t(`tokens.scope.${value}`) }))}
            onChange={setScope}
          />
        )}
      </Field>
      <Field label={t('tokens.proof')}>
        {(id) => (
          <Select
            id={id}
            value={proof}
            options={PROOFS.map((value) => ({ value, label: t(`tokens.proof.${value}`) }))}
            onChange={setProof}
          />
        )}
      </Field>
      <DaysField label={t('tokens.days')} value={days} onChange={setDays} />
      {wantsCertificate && (
        <CertificateField
          value={certificate}
          hint={t('tokens.certificate.hint')}
          tried={tried}
          onChange={setCertificate}
        />
      )}
    </FormDialog>
  );
}

export function RotateDialog({
  token,
  onClose,
  onMade,
}: {
  token: Token;
  onClose: () => void;
  onMade: (made: MadeToken) => void;
}) {
  const { t, language } = useLanguage();
  const rotate = useRotateToken();
  const [days, setDays] = useState(YEAR);
  const [overlap, setOverlap] = useState(OVERLAP);
  const [certificate, setCertificate] = useState('');
  const [tried, setTried] = useState(false);
  const ownCertificate = token.proof !== 'bearer' && token.device === null;
  return (
    <FormDialog
      title={`${t('tokens.rotate')} · ${token.name} (${siteOf(language, token)})`}
      ok={t('tokens.rotate')}
      ready={() => {
        setTried(true);
        return certificate.trim() === '' || isFingerprint(certificate);
      }}
      onSave={async () => {
        const next = certificate.trim() === '' ? null : certificate;
        onMade(await rotate.mutateAsync({ id: token.id, days, overlap_days: overlap, certificate: next }));
      }}
      onClose={onClose}
    >
      <p className="field-wide">{t('tokens.rotate.text')}</p>
      <DaysField label={t('tokens.days')} value={days} onChange={setDays} />
      <Field label={t('tokens.overlap')} hint={t('tokens.overlap.hint')}>
        {(id) => (
          <InputNumber
            id={id}
            autoFocus
            min={0}
            max={LONGEST_OVERLAP}
            precision={0}
            value={overlap}
            onChange={(value) => setOverlap(value ?? OVERLAP)}
          />
        )}
      </Field>
      {ownCertificate && (
        <CertificateField
          optional
          value={certificate}
          hint={t('tokens.certificate.keep')}
          tried={tried}
          onChange={setCertificate}
        />
      )}
    </FormDialog>
  );
}

export function RevokeDialog({ token, onClose }: { token: Token; onClose: () => void }) {
  const { t, language } = useLanguage();
  const revoke = useRevokeToken();
  return (
    <ReasonDialog
      title={`${t('tokens.revoke')} · ${token.name} (${siteOf(language, token)})`}
      confirm={t('tokens.revoke')}
      danger
      onConfirm={(reason) => revoke.mutateAsync({ id: token.id, reason })}
      onClose={onClose}
    >
      <p>{t('tokens.revoke.text')}</p>
    </ReasonDialog>
  );
}

/** Shows a token this once, to whoever puts it into its machine. */
export function SecretDialog({ made, onClose }: { made: MadeToken; onClose: () => void }) {
  const { t, language } = useLanguage();
  const { secret, token } = made;
  const names = { name: token.name, site: siteOf(language, token) };
  return (
    <Modal
      open
      width={560}
      title={t('tokens.secret')}
      closable={false}
      // Not by a slip of the finger either: it cannot be shown again.
      keyboard={secret === null}
      mask={{ closable: false }}
      onCancel={onClose}
      footer={
        <>
          {secret !== null && (
            <CopyButton text={secret} label={t('tokens.secret.copy')} copied={t('tokens.secret.copied')} />
          )}
          <Button type="primary" autoFocus onClick={onClose}>
            {t(secret === null ? 'tokens.secret.done' : 'tokens.secret.close')}
          </Button>
        </>
      }
    >
      <p>{secret === null ? t('tokens.secret.certificate', names) : t('tokens.secret.text', names)}</p>
      {secret !== null && <code className="tokens-secret">{secret}</code>}
    </Modal>
  );
}
