import { Form, Input, Modal, Select } from 'antd';

import type { NewPatient } from '../api/types';
import { useLanguage } from '../i18n/language';

const SEXES = ['M', 'F', 'O'] as const;

interface Fields {
  local_id: string;
  name: string;
  sex?: (typeof SEXES)[number];
  birth_date?: string;
}

/** A patient of the site that the index does not know yet; the reason is asked afterwards. */
export function NewPatientForm({ onMade, onClose }: { onMade: (patient: NewPatient) => void; onClose: () => void }) {
  const { t } = useLanguage();
  const [form] = Form.useForm<Fields>();
  const required = [{ required: true, whitespace: true, message: t('orders.required') }];
  return (
    <Modal
      open
      width={440}
      title={t('identity.newPatient')}
      okText={t('identity.confirm')}
      cancelText={t('app.cancel')}
      mask={{ closable: false }}
      onOk={form.submit}
      onCancel={onClose}
    >
      <Form
        form={form}
        layout="vertical"
        onFinish={({ local_id, name, sex, birth_date }) =>
          onMade({
            local_id: local_id.trim(),
            name: name.trim(),
            ...(sex === undefined ? {} : { sex }),
            ...(birth_date === undefined || birth_date === '' ? {} : { birth_date }),
          })
        }
      >
        <Form.Item name="local_id" label={t('patient.id')} rules={required}>
          <Input maxLength={64} autoFocus />
        </Form.Item>
        <Form.Item name="name" label={t('identity.row.name')} rules={required}>
          <Input maxLength={194} />
        </Form.Item>
        <Form.Item name="sex" label={t('identity.row.sex')}>
          <Select allowClear options={SEXES.map((sex) => ({ value: sex, label: t(`sex.${sex}`) }))} />
        </Form.Item>
        <Form.Item name="birth_date" label={t('patient.birthDate')}>
          <Input type="date" />
        </Form.Item>
      </Form>
    </Modal>
  );
}
