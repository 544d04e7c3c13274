import { AutoComplete, Button, Form, Input, Segmented, Select } from 'antd';

import { serverNow } from '../api/serverClock';
import { useLanguage } from '../i18n/language';
import { type OrderFields, wallClock } from './filters';
import { MODALITIES } from './modalities';
import { useProcedures } from './queries';

const PRIORITIES = ['ROUTINE', 'URGENT', 'STAT'] as const;
const WHY = ['chest_pain', 'stroke', 'trauma', 'acute_abdomen', 'breathing', 'other'] as const;
const CONTRASTS = ['plain', 'enhanced', 'both'] as const;
const BY_LABEL = { optionFilterProp: 'label' } as const;
const SIDES = ['L', 'R', 'B', 'U'] as const;

/** What is examined, how soon and why: a procedure of the list fills body part and asks for the side. */
export function ExamFields({ begun }: { begun: boolean }) {
  const { t, language } = useLanguage();
  const form = Form.useFormInstance<OrderFields>();
  const modality = Form.useWatch(({ modality: chosen }: Partial<OrderFields>) => chosen, form) ?? '';
  const code = Form.useWatch('procedure_code', form);
  const priority = Form.useWatch('priority', form);
  const why = Form.useWatch('priority_reason', form);
  const procedures = (useProcedures().data ?? []).filter((one) => one.modality === modality);
  const procedure = procedures.find((one) => one.code === code);
  const nameOf = (one: { name: string; name_en: string }): string => (language === 'zh-CN' ? one.name : one.name_en);
  const take = (name: string): void => {
    const taken = procedures.find((one) => nameOf(one) === name || one.name === name);
    form.setFieldValue('procedure_code', taken?.code);
    if (taken === undefined) return;
    form.setFieldValue('body_part', taken.body_part);
    form.setFieldValue('contrast', taken.contrast ? 'plain' : undefined);
    form.setFieldValue('laterality', undefined);
  };
  const required = [{ required: true, whitespace: true, message: t('orders.required') }];
  const rule = procedure?.laterality ?? 'optional';
  const sides = rule === 'required' ? SIDES.filter((side) => side !== 'U') : SIDES;
  return (
    <fieldset>
      <legend>{t('orders.form.exam')}</legend>
      <Form.Item name="modality" label={t('orders.form.modality')} rules={required}>
        <Select
          showSearch={BY_LABEL}
          disabled={begun}
          options={MODALITIES.map((one) => ({ value: one, label: t(`orders.modality.${one}`) }))}
          onChange={() => form.resetFields(['procedure_code', 'procedure_description', 'body_part', 'contrast'])}
        />
      </Form.Item>
      <Form.Item
        name="procedure_description"
        label={t('orders.form.procedure')}
        className="order-half"
        rules={required}
      >
        <AutoComplete
          maxLength={64}
          placeholder={t('orders.form.choose')}
          options={procedures.map((one) => ({ value: nameOf(one), code: one.code }))}
          showSearch={{
            filterOption: (typed, option) =>
              `${String(option?.value)} ${String(option?.code)}`.toLowerCase().includes(typed.toLowerCase()),
          }}
          defaultActiveFirstOption
          onChange={take}
        />
      </Form.Item>
      <Form.Item name="procedure_code" hidden>
        <Input />
      </Form.Item>
      <Form.Item name="body_part" label={t('orders.form.bodyPart')}>
        <Input maxLength={64} />
      </Form.Item>
      {rule !== 'none' && (
        <Form.Item
          name="laterality"
          label={t('orders.form.laterality')}
          rules={rule === 'required' ? [{ required: true, message: t('orders.form.sideNeeded') }] : []}
        >
          <Select
            showSearch={BY_LABEL}
            allowClear
            options={sides.map((side) => ({ value: side, label: t(`orders.side.${side}`) }))}
          />
        </Form.Item>
      )}
      {(procedure?.contrast === true || modality === 'CT' || modality === 'MR') && (
        <Form.Item name="contrast" label={t('orders.form.contrast')}>
          <Select allowClear options={CONTRASTS.map((one) => ({ value: one, label: t(`orders.contrast.${one}`) }))} />
        </Form.Item>
      )}
      <Form.Item name="scheduled_at" label={t('orders.form.scheduledAt')}>
        <Input type="datetime-local" disabled={begun} />
      </Form.Item>
      <Form.Item name="priority" label={t('orders.form.priority')}>
        <Segmented options={PRIORITIES.map((one) => ({ value: one, label: t(`priority.${one}`) }))} />
      </Form.Item>
      {priority !== 'ROUTINE' && (
        <Form.Item
          name="priority_reason"
          label={t('orders.form.priorityReason')}
          rules={priority === 'STAT' ? [{ required: true, message: t('orders.form.reasonNeeded') }] : []}
        >
          <Select
            showSearch={BY_LABEL}
            allowClear
            options={WHY.map((one) => ({ value: one, label: t(`orders.why.${one}`) }))}
          />
        </Form.Item>
      )}
      {priority !== 'ROUTINE' && why === 'chest_pain' && (
        <Form.Item
          label={t('orders.form.firstContact')}
          htmlFor="first_contact_at"
          className="order-half"
          required={modality === 'ECG'}
        >
          <div className="order-contact">
            <Form.Item
              noStyle
              name="first_contact_at"
              rules={modality === 'ECG' ? [{ required: true, message: t('orders.required') }] : []}
            >
              <Input type="datetime-local" max={wallClock(new Date(serverNow()))} />
            </Form.Item>
            <Button onClick={() => form.setFieldsValue({ first_contact_at: wallClock(new Date(serverNow())) })}>
              {t('orders.form.now')}
            </Button>
          </div>
        </Form.Item>
      )}
      <Form.Item name="clinical_diagnosis" label={t('orders.form.diagnosis')} className="order-half">
        <Input maxLength={4000} />
      </Form.Item>
      <Form.Item name="reason" label={t('orders.form.reason')} className="order-half">
        <Input maxLength={4000} />
      </Form.Item>
    </fieldset>
  );
}
