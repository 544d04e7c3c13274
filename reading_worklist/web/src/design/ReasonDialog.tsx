import { Input, Modal } from 'antd';
import { type ReactNode, useId, useState } from 'react';

import { useLanguage } from '../i18n/language';
import { ProblemNotice } from './Notice';
import { useAttempt } from './useAttempt';

interface ReasonDialogProps {
  title: string;
  /** What will happen, above the reason. */
  children?: ReactNode;
  confirm: string;
  danger?: boolean;
  /** Whether the reason may stay empty. */
  optional?: boolean;
  /** How many characters it may have. */
  longest?: number;
  onConfirm: (reason: string) => Promise<unknown>;
  onClose: () => void;
}

/** Asks why something is decided; stays open with the refusal when the server says no. */
export function ReasonDialog({
  title,
  children,
  confirm,
  danger = false,
  optional = false,
  longest = 1_000,
  onConfirm,
  onClose,
}: ReasonDialogProps) {
  const { t } = useLanguage();
  const [reason, setReason] = useState('');
  const [missing, setMissing] = useState(false);
  const { busy, refusal, attempt } = useAttempt(onClose);
  const reasonId = useId();
  const decide = (): void => {
    const trimmed = reason.trim();
    const lacks = trimmed === '' && !optional;
    setMissing(lacks);
    if (!lacks) void attempt(() => onConfirm(trimmed));
  };
  return (
    <Modal
      open
      width={520}
      title={title}
      okText={confirm}
      okButtonProps={{ danger }}
      cancelText={t('app.cancel')}
      confirmLoading={busy}
      mask={{ closable: false }}
      onOk={decide}
      onCancel={onClose}
    >
      {children}
      <label htmlFor={reasonId} className="reason-label">
        {t(optional ? 'reason.optional' : 'reason.label')}
      </label>
      <Input.TextArea
        id={reasonId}
        rows={3}
        maxLength={longest}
        autoFocus
        value={reason}
        status={missing ? 'error' : ''}
        onChange={(event) => setReason(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) decide();
        }}
      />
      <div className="reason-message" role="alert">
        {missing && t('reason.required')}
      </div>
      {refusal !== null && <ProblemNotice error={refusal} />}
    </Modal>
  );
}
