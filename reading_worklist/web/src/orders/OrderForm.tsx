import { App, Form, Input, Modal, Segmented, Select } from 'antd';
import { useState } from 'react';

import type { Order } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { fieldsOf, hasBegun, type OrderFields } from './filters';
import { useOrderActs } from './queries';

const MODALITIES = ['CT', 'DX', 'US', 'ECG', 'MR', 'CR', 'MG'] as const;
const PRIORITIES = ['ROUTINE', 'URGENT', 'STAT'] as const;
const VISITS = ['outpatient', 'inpatient', 'emergency', 'checkup', 'other'] as const;
const SIDES = ['L', 'R', 'B', 'U'] as const;
const SEXES = ['M', 'F', 'O'] as const;

/** A new order, or one to be changed: who, what, how soon. Ctrl+Enter places it. */
export function OrderForm({ order = null, onClose }: { order?: Order | null; onClose: () => void }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const [form] = Form.useForm<OrderFields>();
  const { place, amend } = useOrderActs();
  const [refusal, setRefusal] = useState<unknown>(null);
  const begun = order !== null && hasBegun(order);
  const required = [{ required: true, whitespace: true, message: t('orders.required') }];
  const submit = async (fields: OrderFields): Promise<void> => {
    setRefusal(null);
    try {
      if (order === null) {
        const placed = await place.mutateAsync(fields);
        void message.success(t('orders.placed', { number: placed.accession_number ?? t('app.none') }));
      } else {
        await amend.mutateAsync({ order, fields });
        void message.success(t('orders.amended'));
      }
      onClose();
    } catch (error) {
      setRefusal(error);
    }
  };
  return (
    <Modal
      open
      width={760}
      style={{ top: 40 }}
      title={
        order === null ? t('orders.new') : `${t('orders.amend')} · ${order.accession_number ?? order.patient_name}`
      }
      okText={order === null ? t('orders.form.place') : t('app.save')}
      cancelText={t('app.cancel')}
      confirmLoading={place.isPending || amend.isPending}
      mask={{ closable: false }}
      onOk={form.submit}
      onCancel={onClose}
    >
      <Form
        form={form}
        layout="vertical"
        className="order-form"
        initialValues={order === null ? { visit_type: 'outpatient', priority: 'ROUTINE' } : fieldsOf(order)}
        onFinish={(fields) => void submit(fields)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.submit();
        }}
      >
        <fieldset>
          <legend>{t('orders.form.patient')}</legend>
          <Form.Item name="patient_local_id" label={t('orders.form.localId')} rules={required}>
            <Input maxLength={64} autoFocus />
          </Form.Item>
          <Form.Item name="patient_name" label={t('orders.form.name')} rules={required}>
            <Input maxLength={194} />
          </Form.Item>
          <Form.Item name="patient_sex" label={t('orders.form.sex')}>
            <Select allowClear options={SEXES.map((sex) => ({ value: sex, label: t(`sex.${sex}`) }))} />
          </Form.Item>
          <Form.Item name="patient_birth_date" label={t('orders.form.birthDate')}>
            <Input type="date" />
          </Form.Item>
          <Form.Item
            name="document_number"
            label={t('orders.form.documentNumber')}
            {...(order?.document_number ? { extra: t('orders.form.documentKept') } : {})}
          >
            <Input maxLength={18} placeholder={order?.document_number ?? ''} />
          </Form.Item>
          <Form.Item name="visit_type" label={t('orders.form.visitType')}>
            <Select options={VISITS.map((visit) => ({ value: visit, label: t(`orders.visit.${visit}`) }))} />
          </Form.Item>
          <Form.Item name="visit_number" label={t('orders.form.visitNumber')}>
            <Input maxLength={64} />
          </Form.Item>
          <Form.Item name="department" label={t('orders.form.department')}>
            <Input maxLength={64} />
          </Form.Item>
          <Form.Item name="requester" label={t('orders.form.requester')}>
            <Input maxLength={64} />
          </Form.Item>
        </fieldset>
        <fieldset>
          <legend>{t('orders.form.exam')}</legend>
          <Form.Item name="modality" label={t('orders.form.modality')} rules={required}>
            <Select
              disabled={begun}
              options={MODALITIES.map((one) => ({ value: one, label: t(`orders.modality.${one}`) }))}
            />
          </Form.Item>
          <Form.Item name="procedure_description" label={t('orders.form.procedure')} rules={required}>
            <Input maxLength={64} />
          </Form.Item>
          <Form.Item name="body_part" label={t('orders.form.bodyPart')}>
            <Input maxLength={64} />
          </Form.Item>
          <Form.Item name="laterality" label={t('orders.form.laterality')}>
            <Select allowClear options={SIDES.map((side) => ({ value: side, label: t(`orders.side.${side}`) }))} />
          </Form.Item>
          <Form.Item name="priority" label={t('orders.form.priority')}>
            <Segmented options={PRIORITIES.map((one) => ({ value: one, label: t(`priority.${one}`) }))} />
          </Form.Item>
          <Form.Item name="scheduled_at" label={t('orders.form.scheduledAt')}>
            <Input type="datetime-local" disabled={begun} />
          </Form.Item>
          <Form.Item name="clinical_diagnosis" label={t('orders.form.diagnosis')} className="order-wide">
            <Input maxLength={4000} />
          </Form.Item>
          <Form.Item name="reason" label={t('orders.form.reason')} className="order-wide">
            <Input maxLength={4000} />
          </Form.Item>
        </fieldset>
      </Form>
      {refusal !== null && <ProblemNotice error={refusal} />}
    </Modal>
  );
}
