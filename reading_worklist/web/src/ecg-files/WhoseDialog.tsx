import { App, Input, Modal, Radio } from 'antd';
import { useId, useState } from 'react';

import { ProblemNotice } from '../design/Notice';
import { useMinute } from '../design/clock';
import { formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { nameOf } from './name';
import { type EcgFile, useChoose, useOpenOrders, type Whose } from './queries';

const OTHER = 'other';
const SEXES = ['M', 'F'] as const;
type Sex = (typeof SEXES)[number] | '';

/** Asks whose a file is that names nobody: one of the open orders, or another patient. */
export function WhoseDialog({ file, onClose }: { file: EcgFile; onClose: () => void }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const now = useMinute();
  const orders = useOpenOrders();
  const { mutateAsync, isPending, error } = useChoose();
  const [chosen, setChosen] = useState<string | null>(null);
  const [patient, setPatient] = useState<{ id: string; name: string; sex: Sex; birth: string }>({
    id: '',
    name: nameOf(file),
    sex: '',
    birth: '',
  });
  const ids = { id: useId(), name: useId(), birth: useId() };
  const open = orders.data?.items ?? [];
  const said = nameOf(file);
  const meant = chosen === OTHER ? patient.name.trim() : open.find((order) => order.id === chosen)?.patient_name;
  const differs = said !== '' && meant !== undefined && meant !== '' && meant !== said;
  const complete = chosen !== null && (chosen !== OTHER || (/[^ 0]/.test(patient.id) && patient.name.trim() !== ''));
  const confirm = async (): Promise<void> => {
    if (!complete || isPending) return;
    const whose: Whose =
      chosen === OTHER
        ? {
            patient: {
              patient_id: patient.id.trim(),
              name: patient.name.trim(),
              sex: patient.sex,
              birth_date: patient.birth === '' ? null : patient.birth,
            },
          }
        : { order_id: chosen };
    try {
      await mutateAsync({ id: file.id, whose });
      void message.success(t('ecgFiles.chosen'));
      onClose();
    } catch {
      // The notice below says why.
    }
  };
  return (
    <Modal
      open
      width={560}
      title={`${t('ecgFiles.whose.title')} · ${file.file_name}`}
      okText={t('ecgFiles.whose.confirm')}
      okButtonProps={{ disabled: !complete }}
      cancelText={t('app.cancel')}
      confirmLoading={isPending}
      mask={{ closable: false }}
      onOk={() => void confirm()}
      onCancel={onClose}
    >
      <p>{t('ecgFiles.whose.text')}</p>
      <p className="quiet">{open.length > 0 ? t('ecgFiles.whose.order') : t('ecgFiles.whose.noOrder')}</p>
      <Radio.Group
        className="ecg-whose"
        aria-label={t('ecgFiles.whose.order')}
        value={chosen}
        onChange={(event) => setChosen(String(event.target.value))}
      >
        {open.map((order) => (
          <Radio key={order.id} value={order.id}>
            {order.patient_name} {order.patient_local_id}{' '}
            <span className="quiet">
              {order.patient_birth_date} {formatShortTime(order.requested_at, now)}
            </span>
          </Radio>
        ))}
        <Radio value={OTHER}>{t('ecgFiles.whose.other')}</Radio>
      </Radio.Group>
      {chosen === OTHER && (
        <div className="ecg-whose-form">
          <label htmlFor={ids.id}>{t('ecgFiles.whose.id')}</label>
          <Input
            id={ids.id}
            autoFocus
            maxLength={64}
            value={patient.id}
            onChange={(event) => setPatient({ ...patient, id: event.target.value })}
          />
          <label htmlFor={ids.name}>{t('ecgFiles.whose.name')}</label>
          <Input
            id={ids.name}
            maxLength={64}
            value={patient.name}
            onChange={(event) => setPatient({ ...patient, name: event.target.value })}
          />
          <span>{t('ecgFiles.whose.sex')}</span>
          <Radio.Group
            aria-label={t('ecgFiles.whose.sex')}
            value={patient.sex}
            options={SEXES.map((sex) => ({ value: sex, label: t(`ecgFiles.whose.sex.${sex}`) }))}
            onChange={(event) => setPatient({ ...patient, sex: event.target.value as Sex })}
          />
          <label htmlFor={ids.birth}>{t('ecgFiles.whose.birth')}</label>
          <Input
            id={ids.birth}
            type="date"
            value={patient.birth}
            onChange={(event) => setPatient({ ...patient, birth: event.target.value })}
          />
        </div>
      )}
      {differs && (
        <p className="ecg-whose-differs" role="alert">
          {t('ecgFiles.whose.differs', { name: said })}
        </p>
      )}
      {error !== null && <ProblemNotice error={error} />}
    </Modal>
  );
}
