import { Select } from 'antd';
import { useId } from 'react';

import type { CodeName, Codes, OfferedCode } from '../api/types';
import { isPlainKey } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import './writing.css';

/** The words for a value of a code. */
export function useCodeWords(): (name: CodeName, value: string) => string {
  const { t } = useLanguage();
  return (name, value) => {
    const key = `code.${name}.${value}`;
    return isPlainKey(key) ? t(key) : value;
  };
}

/** The structured codes of a report, one choice each; what the exam needs is marked. */
export function CodesForm({
  offered,
  codes,
  disabled,
  onChange,
}: {
  offered: readonly OfferedCode[];
  codes: Codes;
  disabled: boolean;
  onChange: (codes: Codes) => void;
}) {
  const { t } = useLanguage();
  const wordsOf = useCodeWords();
  const idPrefix = useId();
  return (
    <section className="codes" aria-label={t('codes.title')}>
      {offered.map(({ name, values, required }) => (
        <div key={name} className="code">
          <label htmlFor={idPrefix + name}>
            {t(`code.${name}`)}
            {required && <span className="code-required">{t('codes.required')}</span>}
          </label>
          <Select
            id={idPrefix + name}
            size="small"
            allowClear={!required}
            disabled={disabled}
            status={required && !codes[name] ? 'warning' : ''}
            placeholder={t('code.none')}
            value={codes[name] ?? null}
            options={values.map((value) => ({ value, label: wordsOf(name, value) }))}
            onChange={(value: string | null | undefined) => onChange({ ...codes, [name]: value ?? null })}
          />
        </div>
      ))}
    </section>
  );
}

const NAMES: readonly CodeName[] = ['ecg_class', 'bi_rads', 'pi_rads', 'laterality', 'result', 'image_grade'];

/** The codes that were given, in words. */
export function CodesView({ codes }: { codes: Codes }) {
  const { t } = useLanguage();
  const wordsOf = useCodeWords();
  const given = NAMES.filter((name) => Boolean(codes[name]));
  if (given.length === 0) return null;
  return (
    <dl className="codes-view">
      {given.map((name) => (
        <div key={name}>
          <dt>{t(`code.${name}`)}</dt>
          <dd>{wordsOf(name, codes[name] ?? '')}</dd>
        </div>
      ))}
    </dl>
  );
}
