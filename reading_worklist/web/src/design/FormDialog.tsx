import { Modal } from 'antd';
import type { ReactNode } from 'react';

import { useLanguage } from '../i18n/language';
import { leaveChoicesOnTab } from './Field';
import { ProblemNotice } from './Notice';
import { type Attempt, useAttempt } from './useAttempt';

interface FormDialogProps {
  title: string;
  /** What the button says. */
  ok: string;
  width?: number;
  /** A form of many fields: in three columns, from nearer the window's top. */
  long?: boolean;
  /** Nothing can be saved yet. */
  disabled?: boolean;
  /** Says whether everything is filled in; shows what is not. */
  ready: () => boolean;
  onSave: () => Promise<unknown>;
  onClose: () => void;
  /** Called when it is there, to put the focus. */
  onOpened?: () => void;
  /** What is missing, in words; announced. */
  complaint?: ReactNode;
  /** What else can be done here, before the other buttons; `attempt` does it as saving is done. */
  other?: (attempt: Attempt['attempt'], busy: boolean) => ReactNode;
  children: ReactNode;
}

/** A dialog with fields, saved with Ctrl+Enter too; stays open with the refusal when the server says no. */
export function FormDialog({
  title,
  ok,
  width = 620,
  long = false,
  disabled = false,
  ready,
  onSave,
  onClose,
  onOpened,
  complaint,
  other,
  children,
}: FormDialogProps) {
  const { t } = useLanguage();
  const { busy, refusal, attempt } = useAttempt(onClose);
  const save = (): void => {
    if (!disabled && ready()) void attempt(onSave);
  };
  return (
    <Modal
      open
      width={width}
      {...(long ? { style: { top: 32 } } : {})}
      title={title}
      okText={ok}
      okButtonProps={{ disabled }}
      cancelText={t('app.cancel')}
      confirmLoading={busy}
      mask={{ closable: false }}
      afterOpenChange={(open) => {
        if (open) onOpened?.();
      }}
      footer={(buttons) => (
        <>
          {other?.(attempt, busy)}
          {buttons}
        </>
      )}
      onOk={save}
      onCancel={onClose}
    >
      <div
        className={long ? 'form' : 'form form-two'}
        onKeyDownCapture={leaveChoicesOnTab}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) save();
        }}
      >
        {children}
      </div>
      {complaint !== undefined && (
        <div className="reason-message" role="alert">
          {complaint}
        </div>
      )}
      {refusal !== null && <ProblemNotice error={refusal} />}
    </Modal>
  );
}
