import { UploadOutlined } from '@ant-design/icons';
import { Button, Select } from 'antd';
import { type DragEvent, useId, useRef, useState } from 'react';

import { asProblem } from '../api/problem';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';
import { FileState } from './FileState';
import { type EcgFile, useOpenOrders, useSend } from './queries';

interface Sent {
  key: number;
  name: string;
  /** null while it is on its way. */
  file: EcgFile | null;
  refusal: unknown;
}

const AT_ONCE = 2;

/** Where files are dropped or chosen, for one order or for whom the files name, with a result for each. */
export function DropZone({ onAsk }: { onAsk: (file: EcgFile) => void }) {
  const { t } = useLanguage();
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [orderId, setOrderId] = useState<string | null>(null);
  const [sent, setSent] = useState<readonly Sent[]>([]);
  const orders = useOpenOrders();
  const { mutateAsync } = useSend();
  const orderLabel = useId();

  const send = async (files: readonly File[]): Promise<void> => {
    const queue = files.map((file, index) => ({ file, key: Date.now() + index / 1000 }));
    setSent((before) => [
      ...queue.map(({ file, key }) => ({ key, name: file.name, file: null, refusal: null })),
      ...before,
    ]);
    const next = async (): Promise<void> => {
      const one = queue.shift();
      if (one === undefined) return;
      const result = await mutateAsync({ file: one.file, orderId }).then(
        (file) => ({ file }),
        (refusal: unknown) => ({ refusal }),
      );
      setSent((before) => before.map((each) => (each.key === one.key ? { ...each, ...result } : each)));
      await next();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    // An order has one ECG; the next file is somebody else's.
    setOrderId(null);
    await orders.refetch();
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void send([...event.dataTransfer.files]);
  };
  return (
    <section
      className={`ecg-drop${over ? ' ecg-drop-over' : ''}`}
      aria-label={t('ecgFiles.choose')}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      <div className="ecg-drop-line">
        <span>{over ? t('ecgFiles.dropNow') : t('ecgFiles.drop')}</span>
        <Button type="primary" icon={<UploadOutlined />} onClick={() => input.current?.click()}>
          {t('ecgFiles.choose')}
        </Button>
        <input
          ref={input}
          type="file"
          multiple
          hidden
          data-testid="ecg-file-input"
          onChange={(event) => {
            void send([...(event.target.files ?? [])]);
            event.target.value = '';
          }}
        />
        <label id={orderLabel}>{t('ecgFiles.for')}</label>
        <Select
          aria-labelledby={orderLabel}
          className="ecg-drop-order"
          value={orderId ?? ''}
          showSearch={{ optionFilterProp: 'label' }}
          options={[
            { value: '', label: t('ecgFiles.forFile') },
            ...(orders.data?.items ?? []).map((order) => ({
              value: order.id,
              label: `${order.patient_name} ${order.patient_local_id ?? ''}`,
            })),
          ]}
          onChange={(chosen) => setOrderId(chosen === '' ? null : chosen)}
        />
      </div>
      <p className="quiet">{t('ecgFiles.formats')}</p>
      {sent.length > 0 && (
        <ul className="ecg-sent" aria-label={t('ecgFiles.now')} aria-live="polite">
          {sent.map((one) => (
            <SentLine key={one.key} sent={one} onAsk={onAsk} />
          ))}
          <li>
            <Button size="small" type="text" onClick={() => setSent([])}>
              {t('ecgFiles.clear')}
            </Button>
          </li>
        </ul>
      )}
    </section>
  );
}

function SentLine({ sent, onAsk }: { sent: Sent; onAsk: (file: EcgFile) => void }) {
  const { t, language } = useLanguage();
  const { file, refusal } = sent;
  const words = refusal === null ? null : wordsOf(language, asProblem(refusal));
  return (
    <li>
      <span className="ecg-sent-name">{sent.name}</span>
      {file !== null && <FileState state={file.state} />}
      {file?.state === 'NEEDS_PATIENT' && (
        <Button size="small" onClick={() => onAsk(file)}>
          {t('ecgFiles.whose')}
        </Button>
      )}
      {file === null && words === null && <span className="quiet">{t('ecgFiles.sending')}…</span>}
      {words !== null && (
        <span className="ecg-files-why" role="alert">
          {words.title}
          {words.remedy === null ? '' : ` — ${words.remedy}`}
        </span>
      )}
    </li>
  );
}
