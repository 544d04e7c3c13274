import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Checkbox, Input, InputNumber, Select } from 'antd';
import { useId } from 'react';

import type { TemplateField } from '../api/types';
import { useLanguage } from '../i18n/language';

const KINDS = ['choice', 'number', 'text', 'date'] as const;
const FIELDS_MAX = 40;

/** The fields of a template, one card each. */
export function FieldsEditor({
  fields,
  disabled,
  onChange,
}: {
  fields: readonly TemplateField[];
  disabled: boolean;
  onChange: (fields: TemplateField[]) => void;
}) {
  const { t } = useLanguage();
  const replace = (index: number, field: TemplateField): void => onChange(fields.with(index, field));
  return (
    <section className="template-fields" aria-label={t('templates.fields')}>
      <h2>{t('templates.fields')}</h2>
      {fields.map((field, index) => (
        // The name is what is typed here: the place in the list is what stays.
        <FieldCard
          key={index}
          field={field}
          disabled={disabled}
          onChange={(changed) => replace(index, changed)}
          onRemove={() => onChange(fields.toSpliced(index, 1))}
        />
      ))}
      {!disabled && fields.length < FIELDS_MAX && (
        <Button
          icon={<PlusOutlined />}
          onClick={() => onChange([...fields, blankField('text', `${t('templates.fields')}${fields.length + 1}`)])}
        >
          {t('templates.addField')}
        </Button>
      )}
    </section>
  );
}

function blankField(kind: TemplateField['kind'], name: string): TemplateField {
  return { name, kind, choices: [], unit: '', minimum: null, maximum: null, decimals: 0, default: '', required: true };
}

function FieldCard({
  field,
  disabled,
  onChange,
  onRemove,
}: {
  field: TemplateField;
  disabled: boolean;
  onChange: (field: TemplateField) => void;
  onRemove: () => void;
}) {
  const { t } = useLanguage();
  const id = useId();
  const set = (part: Partial<TemplateField>): void => onChange({ ...field, ...part });
  return (
    <fieldset className="template-card" disabled={disabled}>
      <label htmlFor={`${id}name`}>
        {t('templates.field.name')}
        <Input
          id={`${id}name`}
          maxLength={40}
          value={field.name}
          onChange={(event) => set({ name: event.target.value })}
        />
      </label>
      <label htmlFor={`${id}kind`}>
        {t('templates.field.kind')}
        <Select
          id={`${id}kind`}
          disabled={disabled}
          value={field.kind}
          options={KINDS.map((kind) => ({ value: kind, label: t(`templates.field.${kind}`) }))}
          onChange={(kind: TemplateField['kind']) =>
            onChange({
              ...blankField(kind, field.name),
              required: field.required,
              choices: kind === 'choice' ? [t('templates.field.choice')] : [],
            })
          }
        />
      </label>
      {field.kind === 'number' && (
        <>
          <label htmlFor={`${id}unit`}>
            {t('templates.field.unit')}
            <Input
              id={`${id}unit`}
              maxLength={20}
              value={field.unit}
              onChange={(event) => set({ unit: event.target.value })}
            />
          </label>
          <label htmlFor={`${id}minimum`}>
            {t('templates.field.minimum')}
            <InputNumber<number>
              id={`${id}minimum`}
              value={field.minimum ?? null}
              onChange={(minimum) => set({ minimum })}
            />
          </label>
          <label htmlFor={`${id}maximum`}>
            {t('templates.field.maximum')}
            <InputNumber<number>
              id={`${id}maximum`}
              value={field.maximum ?? null}
              onChange={(maximum) => set({ maximum })}
            />
          </label>
        </>
      )}
      {field.kind === 'choice' && (
        <label htmlFor={`${id}choices`} className="template-wide">
          {t('templates.field.choices')}
          <Input.TextArea
            id={`${id}choices`}
            autoSize={{ minRows: 2, maxRows: 8 }}
            value={field.choices.join('\n')}
            onChange={(event) => set({ choices: event.target.value.split('\n') })}
            onBlur={() => set({ choices: field.choices.map((each) => each.trim()).filter((each) => each !== '') })}
          />
        </label>
      )}
      <label htmlFor={`${id}default`} className={field.kind === 'number' ? '' : 'template-wide'}>
        {t('templates.field.default')}
        {field.kind === 'choice' ? (
          <Select
            id={`${id}default`}
            allowClear
            disabled={disabled}
            value={field.default === '' ? null : field.default}
            options={field.choices.filter((each) => each !== '').map((choice) => ({ value: choice, label: choice }))}
            onChange={(chosen: string | null | undefined) => set({ default: chosen ?? '' })}
          />
        ) : (
          <Input
            id={`${id}default`}
            maxLength={500}
            value={field.default}
            onChange={(event) => set({ default: event.target.value })}
          />
        )}
      </label>
      <div className="template-card-end">
        <Checkbox
          checked={field.required}
          disabled={disabled}
          onChange={(event) => set({ required: event.target.checked })}
        >
          {t('templates.field.required')}
        </Checkbox>
        {!disabled && (
          <Button
            type="text"
            icon={<DeleteOutlined />}
            aria-label={t('templates.removeField', { name: field.name })}
            onClick={onRemove}
          />
        )}
      </div>
    </fieldset>
  );
}
