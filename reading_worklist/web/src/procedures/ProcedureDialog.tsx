import { App, Checkbox, Input, InputNumber, Segmented, Select } from 'antd';
import { useState } from 'react';

import { Field } from '../design/Field';
import { FormDialog } from '../design/FormDialog';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { MODALITIES } from '../orders/modalities';
import { type Procedure, type ProcedureBody, useSaveProcedure } from './queries';
import '../rules/rules.css';

const CODE = /^[A-Za-z0-9_.-]{1,16}$/;
const BODY_PART = /^[A-Z0-9_ ]{1,16}$/;
const RULES = ['none', 'optional', 'required'] as const;
const MOST = 100_000;

interface ProcedureDialogProps {
  /** null makes a new one. */
  procedure: Procedure | null;
  all: readonly Procedure[];
  /** Of a new one, where one looks at those of one modality. */
  modality: string | null;
  onClose: () => void;
}

/** What a procedure is called and what an order of it asks for. */
export function ProcedureDialog({ procedure, all, modality, onClose }: ProcedureDialogProps) {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync } = useSaveProcedure();
  const [code, setCode] = useState(procedure?.code ?? '');
  const [body, setBody] = useState<ProcedureBody>(() => bodyOf(procedure, all, modality));
  const [tried, setTried] = useState(false);
  const put = (part: Partial<ProcedureBody>): void => setBody({ ...body, ...part });
  const trimmed = { ...body, name: body.name.trim(), name_en: body.name_en.trim(), body_part: body.body_part.trim() };
  const own = code.trim();
  const missing = [own, trimmed.modality, trimmed.name, trimmed.name_en, trimmed.body_part].includes('');
  const badCode = own !== '' && !CODE.test(own);
  const taken = procedure === null && all.some((one) => one.code.toLowerCase() === own.toLowerCase());
  const badPart = trimmed.body_part !== '' && !BODY_PART.test(trimmed.body_part);
  const save = async (): Promise<void> => {
    await mutateAsync({ code: own, body: trimmed });
    void message.success(t('procedures.saved'));
  };
  return (
    <FormDialog
      width={640}
      title={procedure === null ? t('procedures.add') : siteName(language, procedure)}
      ok={t('app.save')}
      ready={() => {
        setTried(true);
        return !missing && !badCode && !taken && !badPart;
      }}
      onSave={save}
      onClose={onClose}
      complaint={tried && missing && t('procedures.form.missing')}
    >
      <Field
        label={t('procedures.form.code')}
        hint={t('procedures.form.codeHint')}
        error={badCode ? t('procedures.form.badCode') : taken ? t('procedures.form.taken') : null}
      >
        {(id) => (
          <Input
            id={id}
            maxLength={16}
            autoFocus={procedure === null}
            disabled={procedure !== null}
            value={code}
            onChange={(event) => setCode(event.target.value)}
          />
        )}
      </Field>
      <Field label={t('procedures.modality')}>
        {(id) => (
          <Select
            id={id}
            value={body.modality === '' ? null : body.modality}
            options={MODALITIES.map((value) => ({ value, label: t(`orders.modality.${value}`) }))}
            onChange={(value) => put({ modality: value })}
          />
        )}
      </Field>
      <Field label={t('procedures.form.name')}>
        {(id) => (
          <Input
            id={id}
            maxLength={64}
            autoFocus={procedure !== null}
            value={body.name}
            onChange={(event) => put({ name: event.target.value })}
          />
        )}
      </Field>
      <Field label={t('procedures.form.nameEn')}>
        {(id) => (
          <Input
            id={id}
            maxLength={64}
            value={body.name_en}
            onChange={(event) => put({ name_en: event.target.value })}
          />
        )}
      </Field>
      <Field
        label={t('procedures.column.bodyPart')}
        hint={t('procedures.form.bodyPartHint')}
        error={badPart ? t('procedures.form.badPart') : null}
      >
        {(id) => (
          <Input
            id={id}
            maxLength={16}
            value={body.body_part}
            onChange={(event) => put({ body_part: event.target.value.toUpperCase() })}
          />
        )}
      </Field>
      <Field label={t('procedures.form.position')}>
        {(id) => (
          <InputNumber
            id={id}
            min={0}
            max={MOST}
            precision={0}
            value={body.position}
            onChange={(position) => put({ position: position ?? 0 })}
          />
        )}
      </Field>
      <Field label={t('procedures.column.laterality')}>
        {(id) => (
          <Segmented
            id={id}
            value={body.laterality}
            options={RULES.map((value) => ({ value, label: t(`procedures.laterality.${value}`) }))}
            onChange={(laterality) => put({ laterality })}
          />
        )}
      </Field>
      <div className="field field-end">
        <Checkbox checked={body.contrast} onChange={(event) => put({ contrast: event.target.checked })}>
          {t('procedures.form.contrast')}
        </Checkbox>
        <Checkbox checked={body.active} onChange={(event) => put({ active: event.target.checked })}>
          {t('procedures.form.active')}
        </Checkbox>
      </div>
    </FormDialog>
  );
}

function bodyOf(procedure: Procedure | null, all: readonly Procedure[], modality: string | null): ProcedureBody {
  if (procedure !== null) {
    const { modality: own, name, name_en, body_part, laterality, contrast, position, active } = procedure;
    return { modality: own, name, name_en, body_part, laterality, contrast, position, active };
  }
  return {
    modality: modality ?? '',
    name: '',
    name_en: '',
    body_part: '',
    laterality: 'optional',
    contrast: modality === 'CT' || modality === 'MR',
    position: Math.min(MOST, Math.max(0, ...all.map((one) => one.position + 1))),
    active: true,
  };
}
