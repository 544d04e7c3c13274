import { App, Button, Modal } from 'antd';
import { useState } from 'react';

import { Chip } from '../design/Chip';
import { CopyButton } from '../design/CopyButton';
import { ProblemNotice } from '../design/Notice';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { OneFieldForm } from './OneFieldForm';
import { type Enrolment, useSecondFactor, useSecondFactorActs } from './queries';

/** One's second factor: whether there is one, and what can be done with it. */
export function SecondFactorPart() {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const found = useSecondFactor();
  const acts = useSecondFactorActs();
  const [doing, setDoing] = useState<'enrol' | 'renew' | 'remove' | null>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const close = (): void => {
    setDoing(null);
    setCodes(null);
  };
  if (found.isError) return <ProblemNotice error={found.error} onRetry={() => void found.refetch()} />;
  const one = found.data;
  const since = one?.since ?? null;
  return (
    <>
      <div className="account-factor" aria-busy={found.isPending}>
        {one !== undefined && (
          <>
            {since === null ? (
              <Chip tone={one.needed || one.signing ? 'amber' : 'slate'}>{t('account.factor.none')}</Chip>
            ) : (
              <Chip tone="green">{t('account.factor.set', { date: formatDateTime(since) })}</Chip>
            )}
            {one.needed && <Chip tone="slate">{t('account.factor.needed')}</Chip>}
            {one.signing && <Chip tone="slate">{t('account.factor.signing')}</Chip>}
            {since !== null && (
              <span className={one.recovery_codes_left < 3 ? 'account-few' : 'quiet'}>
                {t('account.factor.left', { n: one.recovery_codes_left })}
              </span>
            )}
          </>
        )}
      </div>
      <div className="account-buttons">
        {one !== undefined && since === null && (
          <Button type="primary" onClick={() => setDoing('enrol')}>
            {t('account.factor.begin')}
          </Button>
        )}
        {since !== null && (
          <>
            <Button onClick={() => setDoing('renew')}>{t('account.factor.renew')}</Button>
            {one?.needed === false && <Button onClick={() => setDoing('remove')}>{t('account.factor.remove')}</Button>}
          </>
        )}
      </div>
      <Modal
        open={doing !== null}
        width={520}
        title={codes === null ? t('account.factor') : t('account.factor.codes')}
        footer={null}
        destroyOnHidden
        mask={{ closable: false }}
        onCancel={close}
      >
        {doing === 'enrol' && <Enrol ownPassword={one?.own_password !== false} onDone={close} onCancel={close} />}
        {doing === 'renew' && codes === null && (
          <OneFieldForm
            label={t('account.factor.code')}
            action={t('account.factor.next')}
            kind="code"
            onSubmit={async (code) => setCodes((await acts.renew(code)).codes)}
            onCancel={close}
          />
        )}
        {codes !== null && <RecoveryCodes codes={codes} onDone={close} />}
        {doing === 'remove' && (
          <OneFieldForm
            label={t('account.factor.code')}
            action={t('account.factor.remove')}
            kind="code"
            onSubmit={async (code) => {
              await acts.remove(code);
              void message.success(t('account.factor.removed'));
              close();
            }}
            onCancel={close}
          />
        )}
      </Modal>
    </>
  );
}

/** Sets a second factor up, from the password to the recovery codes. */
export function Enrol({
  ownPassword,
  onDone,
  onCancel,
}: {
  /** Whether the password is asked for first; who came from another provider has none. */
  ownPassword: boolean;
  onDone: () => void;
  onCancel?: () => void;
}) {
  const { t } = useLanguage();
  const acts = useSecondFactorActs();
  const [begun, setBegun] = useState<Enrolment | null>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const cancelling = onCancel === undefined ? {} : { onCancel };
  if (codes !== null) return <RecoveryCodes codes={codes} onDone={onDone} />;
  if (begun === null && ownPassword) {
    return (
      <OneFieldForm
        label={t('account.factor.password')}
        action={t('account.factor.next')}
        kind="password"
        onSubmit={async (password) => setBegun(await acts.begin(password))}
        {...cancelling}
      />
    );
  }
  if (begun === null) {
    return (
      <Button type="primary" onClick={() => void acts.begin('').then(setBegun)}>
        {t('account.factor.begin')}
      </Button>
    );
  }
  return (
    <div className="account-enrol">
      <p className="strong">{t('account.factor.scan')}</p>
      <img
        className="account-qr"
        alt={t('account.factor.scan')}
        src={`data:image/svg+xml;utf8,${encodeURIComponent(begun.qr_svg)}`}
      />
      <p className="quiet">{t('account.factor.type')}</p>
      <code className="account-secret">{begun.secret.replaceAll(/(.{4})(?=.)/g, '$1 ')}</code>
      <OneFieldForm
        label={t('account.factor.first')}
        action={t('account.factor.confirm')}
        kind="code"
        onSubmit={async (code) => setCodes((await acts.confirm(code)).codes)}
        {...cancelling}
      />
    </div>
  );
}

function RecoveryCodes({ codes, onDone }: { codes: readonly string[]; onDone: () => void }) {
  const { t } = useLanguage();
  return (
    <>
      <p>{t('account.factor.codes.note')}</p>
      <ul className="account-codes" aria-label={t('account.factor.codes')}>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div className="account-buttons">
        <Button type="primary" autoFocus onClick={onDone}>
          {t('account.factor.kept')}
        </Button>
        <CopyButton text={codes.join('\n')} label={t('account.factor.copy')} copied={t('account.factor.copied')} />
      </div>
    </>
  );
}
