import { Modal } from 'antd';
import { useState } from 'react';

import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';

/** Asks once more before something ends; stays open with the refusal when the server says no. */
export function ConfirmDialog({
  title,
  text,
  onConfirm,
  onClose,
}: {
  title: string;
  text: string;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}) {
  const { t } = useLanguage();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<unknown>(null);
  const confirm = async (): Promise<void> => {
    setBusy(true);
    setRefusal(null);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setRefusal(error);
      setBusy(false);
    }
  };
  return (
    <Modal
      open
      width={440}
      title={title}
      okText={title}
      okButtonProps={{ danger: true, autoFocus: true }}
      cancelText={t('app.cancel')}
      confirmLoading={busy}
      mask={{ closable: false }}
      onOk={() => void confirm()}
      onCancel={onClose}
    >
      <p>{text}</p>
      {refusal !== null && <ProblemNotice error={refusal} />}
    </Modal>
  );
}
