import { Input } from 'antd';
import { type KeyboardEvent, type ReactNode, useId } from 'react';

import { useLanguage } from '../i18n/language';
import './form.css';

interface FieldProps {
  label: string;
  wide?: boolean;
  error?: string | null;
  hint?: string | null;
}

/** A label with its control below it; `children` gets the id that ties both together. */
export function Field({
  label,
  wide = false,
  error = null,
  hint = null,
  children,
}: FieldProps & { children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className={wide ? 'field field-wide' : 'field'}>
      <label htmlFor={id} className="field-label">
        {label}
      </label>
      {children(id)}
      {error !== null && (
        <span className="danger small" role="alert">
          {error}
        </span>
      )}
      {hint !== null && error === null && <span className="quiet small">{hint}</span>}
    </div>
  );
}

/** A field of one line of text. */
export function TextField({
  value,
  longest = 100,
  onChange,
  autoFocus = false,
  disabled = false,
  ...field
}: FieldProps & {
  value: string;
  longest?: number;
  onChange: (value: string) => void;
  autoFocus?: boolean;
  disabled?: boolean;
}) {
  return (
    <Field {...field}>
      {(id) => (
        <Input
          id={id}
          maxLength={longest}
          autoComplete="off"
          autoFocus={autoFocus}
          disabled={disabled}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

/** A field of a day, as `YYYY-MM-DD`; "" is none. */
export function DayField({
  value,
  min,
  max,
  onChange,
  ...field
}: FieldProps & {
  value: string;
  min?: string | undefined;
  max?: string | undefined;
  onChange: (day: string) => void;
}) {
  return (
    <Field {...field}>
      {(id) => (
        <Input
          id={id}
          type="date"
          min={min}
          max={max}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

/** A first and a last day, as `YYYY-MM-DD`; "" is none. */
export interface Days {
  from: string;
  until: string;
}

/** Whether the last day of two is before the first. */
export const unordered = ({ from, until }: Days): boolean => from !== '' && until !== '' && until < from;

/** The fields of a first and a last day, which says when it is before the first. */
export function DaysFields({
  days,
  hint = null,
  min,
  onChange,
}: {
  days: Days;
  /** What it means that there is no last day. */
  hint?: string | null;
  min?: string;
  onChange: (days: Days) => void;
}) {
  const { t } = useLanguage();
  return (
    <>
      <DayField label={t('form.from')} min={min} value={days.from} onChange={(from) => onChange({ ...days, from })} />
      <DayField
        label={t('form.until')}
        hint={hint}
        error={unordered(days) ? t('form.unordered') : null}
        min={min}
        value={days.until}
        onChange={(until) => onChange({ ...days, until })}
      />
    </>
  );
}

/** Tab only moves on: an open list would take it for Enter, and choose away what was chosen just before. */
export function leaveChoicesOnTab(event: KeyboardEvent): void {
  if (event.key === 'Tab') event.stopPropagation();
}
