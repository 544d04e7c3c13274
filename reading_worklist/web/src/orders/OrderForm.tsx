import { App, Form, Modal } from 'antd';
import { useState } from 'react';

import type { Order } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { Earlier, useDuplicates } from './Earlier';
import { ExamFields } from './ExamFields';
import { fieldsOf, hasBegun, type OrderFields } from './filters';
import { PATIENT_SEARCH, PatientFields } from './PatientFields';
import { useOrderActs } from './queries';

/** A new order, or one to be changed: who, what, how soon. Ctrl+Enter places it. */
export function OrderForm({ order = null, onClose }: { order?: Order | null; onClose: () => void }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const [form] = Form.useForm<OrderFields>();
  const { place, amend } = useOrderActs();
  const [refusal, setRefusal] = useState<unknown>(null);
  const begun = order !== null && hasBegun(order);
  const kind = {
    patient: (Form.useWatch('patient_local_id', form) ?? '').trim(),
    modality: Form.useWatch(({ modality }: Partial<OrderFields>) => modality, form) ?? '',
    bodyPart: (Form.useWatch('body_part', form) ?? '').trim(),
  };
  const duplicates = useDuplicates(order === null ? kind : { ...kind, patient: '' });
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
  const placeText = t(duplicates > 0 ? 'orders.placeAgain' : 'orders.form.place');
  return (
    <Modal
      open
      width={960}
      style={{ top: 24 }}
      title={
        order === null ? t('orders.new') : `${t('orders.amend')} · ${order.accession_number ?? order.patient_name}`
      }
      okText={order === null ? placeText : t('app.save')}
      okButtonProps={{ danger: duplicates > 0, title: t('orders.form.submitHint') }}
      cancelText={t('app.cancel')}
      confirmLoading={place.isPending || amend.isPending}
      mask={{ closable: false }}
      afterOpenChange={(open) => {
        // The dialog has taken the focus for itself.
        if (open) document.getElementById(order === null ? PATIENT_SEARCH : 'patient_name')?.focus();
      }}
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
        <PatientFields order={order} />
        <ExamFields begun={begun} />
      </Form>
      {order === null && <Earlier {...kind} />}
      {refusal !== null && <ProblemNotice error={refusal} />}
    </Modal>
  );
}
