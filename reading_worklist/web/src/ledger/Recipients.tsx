import { App, Button, Modal } from 'antd';
import { useState } from 'react';

import type { RecallRecipient } from '../api/types';
import { Chip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { isPlainKey } from '../i18n/catalogue';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { type Person, PersonOnPhone } from '../phone/PersonOnPhone';
import { useSession } from '../session/session';
import { useToldByTelephone } from './queries';
import '../phone/phone.css';

const TELEPHONERS = ['writer', 'reviewer', 'dispatcher'];
const DUTY_HEAD = 2;

/** Who has a version that does not stand any more, and who of them knows. */
export function Recipients({ recipients }: { recipients: readonly RecallRecipient[] }) {
  const { t } = useLanguage();
  if (recipients.length === 0) return null;
  return (
    <section aria-labelledby="ledger-recipients">
      <h2 id="ledger-recipients">{t('ledger.detail.recipients')}</h2>
      <ul className="ledger-list">
        {recipients.map((one) => (
          <Recipient key={one.id} recipient={one} />
        ))}
      </ul>
    </section>
  );
}

function Recipient({ recipient }: { recipient: RecallRecipient }) {
  const { t } = useLanguage();
  const { data: session } = useSession();
  const [calling, setCalling] = useState(false);
  const mayCall = session?.roles.some((role) => TELEPHONERS.includes(role)) === true;
  return (
    <li>
      <div className="ledger-row">
        <strong>{recipient.who}</strong>
        {recipient.machine && <span className="quiet">{t('ledger.machine')}</span>}
        <Chip tone={recipient.kind === 'revoked' ? 'red' : 'slate'}>{t(`portal.recall.${recipient.kind}.word`)}</Chip>
        <span className="quiet">{t('ledger.version', { n: recipient.version_number })}</span>
        <span className="quiet">{t('ledger.recall.received', { time: formatDateTime(recipient.received_at) })}</span>
      </div>
      {recipient.reason !== '' && <p className="quiet">{recipient.reason}</p>}
      <Answer recipient={recipient} />
      {recipient.escalations.map((one) => (
        <p key={one.step} className="quiet small">
          {t(one.step === 1 ? 'ledger.recall.step.1' : 'ledger.recall.step.2', { time: formatDateTime(one.at) })}
          {' · '}
          {one.contact_name === null
            ? t('ledger.recall.noContact')
            : t('ledger.recall.contact', { name: one.contact_name, phone: one.contact_phone ?? '' })}
        </p>
      ))}
      {recipient.told_at === null && recipient.next_at !== null && (
        <p className="quiet small">{t('ledger.recall.next', { time: formatDateTime(recipient.next_at) })}</p>
      )}
      {recipient.told_at === null && mayCall && (
        <Button size="small" onClick={() => setCalling(true)}>
          {t('ledger.recall.phone')}
        </Button>
      )}
      {calling && <CallDialog recipient={recipient} onClose={() => setCalling(false)} />}
    </li>
  );
}

function Answer({ recipient }: { recipient: RecallRecipient }) {
  const { t } = useLanguage();
  if (recipient.told_at === null) {
    return (
      <p>
        <Chip tone="amber" hollow>
          {t('ledger.recall.open')}
        </Chip>
      </p>
    );
  }
  const time = formatDateTime(recipient.told_at);
  if (recipient.acknowledged_name === null) return <p>{t('ledger.recall.replaced', { time })}</p>;
  const key = `role.word.${recipient.acknowledged_role ?? ''}`;
  const words = {
    who: recipient.acknowledged_name,
    role: isPlainKey(key) ? t(key) : (recipient.acknowledged_role ?? ''),
    time,
  };
  return (
    <p>
      {recipient.taken_down_by === null
        ? t('ledger.recall.known', words)
        : t('ledger.recall.knownByPhone', { ...words, by: recipient.taken_down_by })}
    </p>
  );
}

function CallDialog({ recipient, onClose }: { recipient: RecallRecipient; onClose: () => void }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const told = useToldByTelephone();
  const [who, setWho] = useState<Person>({ name: '', role: '' });
  const complete = who.name.trim() !== '' && who.role.trim() !== '';
  const keep = async (): Promise<void> => {
    if (!complete || told.isPending) return;
    try {
      await told.mutateAsync({ id: recipient.id, name: who.name.trim(), role: who.role.trim() });
      void message.success(t('ledger.recall.phone.kept'));
      onClose();
    } catch {
      // The notice below says why.
    }
  };
  const named = recipient.escalations.filter((one) => one.contact_name !== null);
  return (
    <Modal
      open
      width={480}
      title={t('ledger.recall.phone')}
      okText={t('ledger.recall.phone.keep')}
      okButtonProps={{ disabled: !complete }}
      cancelText={t('app.cancel')}
      confirmLoading={told.isPending}
      mask={{ closable: false }}
      onOk={() => void keep()}
      onCancel={onClose}
    >
      <p>{t('ledger.recall.phone.text', { who: recipient.who, n: recipient.version_number })}</p>
      <PersonOnPhone
        contacts={named.map((one) => ({
          step: one.step === 1 ? DUTY_HEAD : DUTY_HEAD + 1,
          name: one.contact_name ?? '',
          role: t(one.step === 1 ? 'critical.step.2' : 'critical.step.3'),
          phone: one.contact_phone ?? '',
        }))}
        step={DUTY_HEAD}
        who={who}
        onWho={setWho}
      />
      {told.error !== null && <ProblemNotice error={told.error} />}
    </Modal>
  );
}
