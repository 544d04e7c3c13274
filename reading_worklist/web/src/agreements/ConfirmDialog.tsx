import { Modal } from 'antd';

import { ProblemNotice } from '../design/Notice';
import { useAttempt } from '../design/useAttempt';
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
  const { busy, refusal, attempt } = useAttempt(onClose);
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
      onOk={() => void attempt(onConfirm)}
      onCancel={onClose}
    >
      <p>{text}</p>
      {refusal !== null && <ProblemNotice error={refusal} />}
    </Modal>
  );
}
