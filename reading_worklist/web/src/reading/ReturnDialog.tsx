import { Input, Modal } from 'antd';
import { useId, useState } from 'react';

import { useLanguage } from '../i18n/language';

const LONGEST_COMMENT = 2_000;

/** Asks why a report goes back to its writer. */
export function ReturnDialog({
  busy,
  onReturn,
  onClose,
}: {
  busy: boolean;
  onReturn: (comment: string) => Promise<void>;
  onClose: () => void;
}) {
  const { t } = useLanguage();
  const [comment, setComment] = useState('');
  const [missing, setMissing] = useState(false);
  const commentId = useId();
  const confirm = (): void => {
    const trimmed = comment.trim();
    setMissing(trimmed === '');
    if (trimmed !== '') void onReturn(trimmed);
  };
  return (
    <Modal
      open
      width={520}
      title={t('return.title')}
      okText={t('return.confirm')}
      cancelText={t('app.cancel')}
      confirmLoading={busy}
      mask={{ closable: false }}
      onOk={confirm}
      onCancel={onClose}
    >
      <label htmlFor={commentId} className="sign-label">
        {t('return.comment')}
      </label>
      <Input.TextArea
        id={commentId}
        rows={5}
        maxLength={LONGEST_COMMENT}
        placeholder={t('return.placeholder')}
        autoFocus
        value={comment}
        status={missing ? 'error' : ''}
        onChange={(event) => setComment(event.target.value)}
      />
      <div className="sign-message" role="alert">
        {missing && t('return.required')}
      </div>
    </Modal>
  );
}
