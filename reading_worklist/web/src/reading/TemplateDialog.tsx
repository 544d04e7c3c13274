import { Button, Input, type InputRef, Modal, Select } from 'antd';
import { type KeyboardEvent, type SubmitEvent, useEffect, useId, useRef, useState } from 'react';

import { asProblem, type Problem } from '../api/problem';
import type { FilledText, Template, TemplateField, WritingAids } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import type { Language } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import { useFlawWords } from '../templates/flawWords';
import { fillTemplate } from './writing';
import './writing.css';

interface TemplateDialogProps {
  aids: WritingAids;
  /** Of the report: its templates come first. */
  language: Language;
  onInsert: (template: Template, filled: FilledText) => void;
  onClose: () => void;
}

/** Chooses a template by its title and fills it: arrows and Enter, then field by field with Tab, Enter inserts. */
export function TemplateDialog({ aids, language, onInsert, onClose }: TemplateDialogProps) {
  const { t } = useLanguage();
  const [chosen, setChosen] = useState<Template | null>(null);
  return (
    <Modal
      open
      width={640}
      title={chosen === null ? t('template.choose') : chosen.body.title}
      footer={null}
      mask={{ closable: false }}
      onCancel={onClose}
    >
      {chosen === null ? (
        <Choice aids={aids} language={language} onChoose={setChosen} />
      ) : (
        <Filling
          key={chosen.id}
          template={chosen}
          onInsert={(filled) => onInsert(chosen, filled)}
          onBack={() => setChosen(null)}
        />
      )}
    </Modal>
  );
}

function Choice({
  aids,
  language,
  onChoose,
}: Pick<TemplateDialogProps, 'aids' | 'language'> & { onChoose: (template: Template) => void }) {
  const { t } = useLanguage();
  const [wanted, setWanted] = useState('');
  const [at, setAt] = useState(0);
  const input = useRef<InputRef>(null);
  const list = useRef<HTMLUListElement>(null);
  const listId = useId();
  const found = (templates: readonly Template[]): Template[] =>
    templates.filter(({ body }) => body.title.toLowerCase().includes(wanted.trim().toLowerCase()));
  const all = [...found(aids.templates), ...found(aids.more_templates)];
  const fitting = found(aids.templates).filter(({ body }) => body.language === language);
  const others = all.filter((one) => !fitting.includes(one));
  const shown = [
    ...fitting,
    ...others.filter(({ body }) => body.language === language),
    ...others.filter(({ body }) => body.language !== language),
  ];
  const selected = Math.min(at, shown.length - 1);

  // The dialog takes the focus when it has opened; then the search takes it.
  useEffect(() => {
    const timer = setTimeout(() => input.current?.focus(), 0);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [selected]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) setAt(Math.max(0, Math.min(selected + step, shown.length - 1)));
    const template = shown[selected];
    if (event.key === 'Enter' && !event.nativeEvent.isComposing && template !== undefined) onChoose(template);
    if (step !== 0 || event.key === 'Enter') event.preventDefault();
  };
  return (
    <>
      <Input
        ref={input}
        allowClear
        role="combobox"
        aria-label={t('template.search')}
        aria-expanded
        aria-controls={listId}
        placeholder={t('template.search')}
        value={wanted}
        onChange={(event) => {
          setWanted(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul className="templates-found" id={listId} role="listbox" ref={list} aria-label={t('template.choose')}>
        {shown.map((template, index) => (
          <li
            key={template.id}
            role="option"
            aria-selected={index === selected}
            className={index === fitting.length && fitting.length > 0 ? 'templates-others' : ''}
            data-heading={index === fitting.length ? t('template.others') : index === 0 ? t('template.fitting') : null}
            onMouseMove={() => setAt(index)}
            onClick={() => onChoose(template)}
          >
            <span>{template.body.title}</span>
            <span className="quiet small">{template.body.modalities.join(' ')}</span>
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p className="quiet">{t('template.none')}</p>}
    </>
  );
}

function Filling({
  template,
  onInsert,
  onBack,
}: {
  template: Template;
  onInsert: (filled: FilledText) => void;
  onBack: () => void;
}) {
  const { t } = useLanguage();
  const flawWords = useFlawWords();
  const { fields } = template.body;
  const [values, setValues] = useState<Record<string, string>>(() =>
    Object.fromEntries(fields.map((field) => [field.name, field.default])),
  );
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const idPrefix = useId();
  useEffect(() => {
    const timer = setTimeout(() => form.current?.querySelector<HTMLElement>('input, button')?.focus(), 0);
    return () => clearTimeout(timer);
  }, []);

  const insert = async (event?: SubmitEvent): Promise<void> => {
    event?.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      onInsert(await fillTemplate(template.id, given(values)));
    } catch (error) {
      const refused = asProblem(error);
      setProblem(refused);
      setBusy(false);
      const index = fields.findIndex((field) => field.name === refused.document.field);
      if (index >= 0) document.getElementById(`${idPrefix}${index}`)?.focus();
    }
  };
  return (
    <form ref={form} onSubmit={(event) => void insert(event)} className="template-form" autoComplete="off">
      {fields.length === 0 && <p className="quiet">{t('template.noFields')}</p>}
      {fields.map((field, index) => (
        <div key={field.name} className="template-field">
          <label htmlFor={`${idPrefix}${index}`}>
            {field.name}
            {!field.required && <span className="field-optional">{t('report.optional')}</span>}
          </label>
          <FieldInput
            id={`${idPrefix}${index}`}
            field={field}
            value={values[field.name] ?? ''}
            wrong={problem?.document.field === field.name}
            onChange={(value) => setValues({ ...values, [field.name]: value })}
          />
        </div>
      ))}
      {problem !== null &&
        (problem.document.flaw === undefined ? (
          <ProblemNotice error={problem} />
        ) : (
          <p className="reason-message" role="alert">
            {flawWords(problem)}
          </p>
        ))}
      <p className="quiet small">{t('template.insertHint')}</p>
      <div className="sign-buttons">
        <Button onClick={onBack}>{t('app.back')}</Button>
        <Button type="primary" htmlType="submit" loading={busy}>
          {t('template.insert')}
        </Button>
      </div>
    </form>
  );
}

/** One value of a template; a number shows its unit and its range. */
export function FieldInput({
  id,
  field,
  value,
  wrong,
  onChange,
}: {
  id: string;
  field: TemplateField;
  value: string;
  wrong: boolean;
  onChange: (value: string) => void;
}) {
  const status = wrong ? 'error' : '';
  switch (field.kind) {
    case 'choice':
      return (
        <Select
          id={id}
          status={status}
          allowClear
          showSearch
          value={value === '' ? null : value}
          options={field.choices.map((choice) => ({ value: choice, label: choice }))}
          onChange={(chosen: string | null | undefined) => onChange(chosen ?? '')}
        />
      );
    case 'date':
      return (
        <Input id={id} type="date" status={status} value={value} onChange={(event) => onChange(event.target.value)} />
      );
    case 'number':
      return (
        <Input
          id={id}
          status={status}
          inputMode="decimal"
          value={value}
          suffix={<span className="quiet">{rangeOf(field)}</span>}
          onChange={(event) => onChange(event.target.value.trim())}
        />
      );
    case 'text':
      return <Input id={id} status={status} value={value} onChange={(event) => onChange(event.target.value)} />;
  }
}

function rangeOf({ minimum, maximum, unit }: TemplateField): string {
  const range = minimum === null && maximum === null ? '' : `${minimum ?? ''}–${maximum ?? ''} `;
  return `${range}${unit}`;
}

function given(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim() !== ''));
}
