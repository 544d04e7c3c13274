import { Button, Checkbox, Input, Modal, Select } from 'antd';
import { useId, useState } from 'react';

import { CopyButton } from '../design/CopyButton';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { type MadeShare, type NewShare, useMakeShare } from './queries';
import './shares.css';

const HOURS_A_DAY = 24;
const DAYS = [1, 3, 7, 30];
const LONGEST = 200;

/** Makes a link to one exam, and shows it once. */
export function ShareDialog({ workitem, onClose }: { workitem: string; onClose: () => void }) {
  const { t } = useLanguage();
  const making = useMakeShare(workitem);
  const [wanted, setWanted] = useState<NewShare>({
    recipient: '',
    basis: '',
    hours: 3 * HOURS_A_DAY,
    with_report: true,
    with_code: true,
  });
  const [missing, setMissing] = useState(false);
  const recipientId = useId();
  const basisId = useId();
  const change = (part: Partial<NewShare>) => setWanted({ ...wanted, ...part });
  const create = (): void => {
    const incomplete = wanted.recipient.trim().length < 2 || wanted.basis.trim().length < 2;
    setMissing(incomplete);
    if (!incomplete && !making.isPending) making.mutate(wanted);
  };
  if (making.data !== undefined) return <Made made={making.data} onClose={onClose} />;
  return (
    <Modal
      open
      width={520}
      title={t('share.dialog.title')}
      okText={t('share.create')}
      cancelText={t('app.cancel')}
      confirmLoading={making.isPending}
      mask={{ closable: false }}
      onOk={create}
      onCancel={onClose}
    >
      <div className="share-form">
        <p className="quiet">{t('share.dialog.text')}</p>
        <label htmlFor={recipientId}>{t('share.recipient')}</label>
        <Input
          id={recipientId}
          autoFocus
          maxLength={LONGEST}
          value={wanted.recipient}
          onChange={(event) => change({ recipient: event.target.value })}
        />
        <label htmlFor={basisId}>{t('share.basis')}</label>
        <Input
          id={basisId}
          maxLength={LONGEST}
          value={wanted.basis}
          onChange={(event) => change({ basis: event.target.value })}
          onPressEnter={create}
        />
        <div className="share-line">
          <span>{t('share.hours')}</span>
          <Select
            aria-label={t('share.hours')}
            value={wanted.hours}
            options={DAYS.map((n) => ({ value: n * HOURS_A_DAY, label: t('share.day', { n }) }))}
            onChange={(hours) => change({ hours })}
          />
        </div>
        <Checkbox checked={wanted.with_report} onChange={(event) => change({ with_report: event.target.checked })}>
          {t('share.withReport')}
        </Checkbox>
        <Checkbox checked={wanted.with_code} onChange={(event) => change({ with_code: event.target.checked })}>
          {t('share.withCode')}
        </Checkbox>
        <div className="reason-message" role="alert">
          {missing && t('share.required')}
        </div>
        {making.isError && <ProblemNotice error={making.error} />}
      </div>
    </Modal>
  );
}

function Made({ made, onClose }: { made: MadeShare; onClose: () => void }) {
  const { t } = useLanguage();
  const urlId = useId();
  return (
    <Modal
      open
      width={520}
      title={t('share.made.title')}
      closable={false}
      // Not by a slip of the finger: it cannot be shown again.
      keyboard={false}
      mask={{ closable: false }}
      onCancel={onClose}
      footer={
        <>
          <CopyButton text={made.url} label={t('share.copy')} copied={t('share.copied')} />
          <Button type="primary" onClick={onClose}>
            {t('share.done')}
          </Button>
        </>
      }
    >
      <div className="share-form">
        <label htmlFor={urlId}>{t('share.made.url')}</label>
        <Input.TextArea id={urlId} readOnly autoSize value={made.url} onFocus={(event) => event.target.select()} />
        {made.code !== null && (
          <>
            <span>{t('share.made.code')}</span>
            <strong className="share-code">{made.code}</strong>
          </>
        )}
      </div>
    </Modal>
  );
}
