import { CloseOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Checkbox, Input, Select } from 'antd';
import { useState } from 'react';

import { Field } from '../design/Field';
import { FormDialog } from '../design/FormDialog';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import type { Group, Rule } from './queries';
import { sentenceOf, type Words } from './sentence';

const MODALITIES = ['CT', 'MR', 'DX', 'CR', 'US', 'MG', 'XA', 'ECG'] as const;
const PRIORITIES = ['STAT', 'URGENT', 'ROUTINE'] as const;
const VISITS = ['outpatient', 'inpatient', 'emergency', 'checkup', 'other'] as const;
const CLOCKS = ['ecg', 'x_ray', 'head_ct', 'ct_mr', 'inpatient_ct_mr', 'complex'] as const;
const LANES = ['imaging', 'ecg'] as const;
const NIGHT = { begins: '22:00:00', ends: '08:00:00' };
const LONGEST_NAME = 100;

interface RuleDialogProps {
  rule: Rule;
  words: Omit<Words, 'groups'> & { groups: readonly Group[] };
  /** Names of the other rules: each has one of its own. */
  taken: readonly string[];
  onDone: (rule: Rule) => void;
  onClose: () => void;
}

/** One rule: what exams it is for, and what becomes of them. Its sentence stands below while it is made. */
export function RuleDialog({ rule, words, taken, onDone, onClose }: RuleDialogProps) {
  const { t, language } = useLanguage();
  const [edited, setEdited] = useState(rule);
  const [tried, setTried] = useState(false);
  const { when, then } = edited;
  const name = edited.name.trim();
  const wrong = name === '' ? t('rules.form.nameMissing') : taken.includes(name) ? t('rules.form.nameTaken') : null;
  // A select that loses the focus says what was typed in the same moment as the next one what was chosen.
  const setWhen = (part: Partial<Rule['when']>): void =>
    setEdited((before) => ({ ...before, when: { ...before.when, ...part } }));
  const setThen = (part: Partial<Rule['then']>): void =>
    setEdited((before) => ({ ...before, then: { ...before.then, ...part } }));
  const groups = words.groups
    .filter((group) => group.active)
    .map((group) => ({ value: group.code, label: siteName(language, group), lane: group.lane }));
  const sentence = sentenceOf(language, edited, words);
  const any = t('rules.form.any');
  const keep = t('rules.form.keep');
  return (
    <FormDialog
      long
      width={760}
      title={rule.name === '' ? t('rules.form.new') : rule.name}
      ok={t('app.save')}
      ready={() => {
        setTried(true);
        return wrong === null;
      }}
      onSave={() => {
        onDone({ ...edited, name });
        return Promise.resolve();
      }}
      onClose={onClose}
    >
      <Field label={t('rules.form.name')} wide error={tried ? wrong : null}>
        {(id) => (
          <Input
            id={id}
            autoFocus
            maxLength={LONGEST_NAME}
            value={edited.name}
            status={tried && wrong !== null ? 'error' : ''}
            onChange={(event) => {
              const typed = event.target.value;
              setEdited((before) => ({ ...before, name: typed }));
            }}
          />
        )}
      </Field>
      <h3>{t('rules.form.when')}</h3>
      <Several
        label={t('rules.form.sites')}
        none={any}
        value={when.sites}
        options={words.sites.map((site) => ({ value: site.code, label: siteName(language, site) }))}
        onChange={(sites) => setWhen({ sites })}
      />
      <Field label={t('rules.form.modalities')}>
        {(id) => (
          <Select
            id={id}
            mode="tags"
            placeholder={any}
            value={when.modalities}
            options={MODALITIES.map((value) => ({ value, label: value }))}
            onChange={(modalities) => setWhen({ modalities: modalities.map((one) => one.trim().toUpperCase()) })}
          />
        )}
      </Field>
      <Typed
        label={t('rules.form.bodyParts')}
        hint={t('rules.form.bodyPartsHint')}
        value={when.body_parts}
        onChange={(body_parts) => setWhen({ body_parts })}
      />
      <Typed
        label={t('rules.form.devices')}
        hint={t('rules.form.devicesHint')}
        value={when.devices}
        onChange={(devices) => setWhen({ devices })}
      />
      <Several
        label={t('rules.form.priorities')}
        none={any}
        value={when.priorities}
        options={PRIORITIES.map((value) => ({ value, label: t(`priority.${value}`) }))}
        onChange={(priorities) => setWhen({ priorities })}
      />
      <Several
        label={t('rules.form.visits')}
        none={any}
        value={when.visit_types}
        options={VISITS.map((value) => ({ value, label: t(`orders.visit.${value}`) }))}
        onChange={(visit_types) => setWhen({ visit_types })}
      />
      <Choice
        label={t('rules.form.onDuty')}
        none={any}
        value={when.on_duty}
        options={groups}
        onChange={(on_duty) => setWhen({ on_duty })}
      />
      <Field label={t('rules.form.working')}>
        {(id) => (
          <Select
            id={id}
            value={when.working === null ? 'any' : when.working ? 'in' : 'outside'}
            options={[
              { value: 'any', label: any },
              { value: 'in', label: t('rules.working') },
              { value: 'outside', label: t('rules.outside') },
            ]}
            onChange={(chosen) => setWhen({ working: chosen === 'any' ? null : chosen === 'in' })}
          />
        )}
      </Field>
      <Windows windows={when.windows} onChange={(windows) => setWhen({ windows })} />
      <h3>{t('rules.form.then')}</h3>
      <Choice
        label={t('rules.form.lane')}
        none={keep}
        value={then.lane}
        options={LANES.map((value) => ({ value, label: t(`lane.${value}`) }))}
        onChange={(lane) => setThen({ lane })}
      />
      <Choice
        label={t('rules.form.group')}
        none={keep}
        value={then.group}
        options={groups.filter((group) => then.lane === null || group.lane === then.lane)}
        onChange={(group) => setThen({ group })}
      />
      <Choice
        label={t('rules.form.priority')}
        none={keep}
        value={then.priority}
        options={PRIORITIES.map((value) => ({ value, label: t(`priority.${value}`) }))}
        onChange={(priority) => setThen({ priority })}
      />
      <Choice
        label={t('rules.form.clock')}
        none={keep}
        value={then.clock}
        options={CLOCKS.map((value) => ({ value, label: t(`clock.${value}`) }))}
        onChange={(clock) => setThen({ clock })}
      />
      <div className="field-wide">
        <Checkbox checked={then.assign} onChange={(event) => setThen({ assign: event.target.checked })}>
          {t('rules.form.assign')}
        </Checkbox>
      </div>
      <p className="rule-preview" aria-live="polite">
        <span className="quiet small">{t('rules.form.preview')}</span>
        <span>
          {sentence.when} <span className="rule-arrow">→</span> <strong>{sentence.then}</strong>
        </span>
      </p>
    </FormDialog>
  );
}

/** One of several, or none. */
function Choice<T extends string>({
  label,
  none,
  value,
  options,
  onChange,
}: {
  label: string;
  /** What none means. */
  none: string;
  value: T | null;
  options: { value: T; label: string }[];
  onChange: (chosen: T | null) => void;
}) {
  return (
    <Field label={label}>
      {(id) => (
        <Select
          id={id}
          allowClear
          placeholder={none}
          value={value}
          options={options}
          // Ant Design's types leave out that a cleared choice is undefined.
          onChange={(chosen: T | undefined) => onChange(chosen ?? null)}
        />
      )}
    </Field>
  );
}

/** Several of many, found by what they are called. */
function Several<T extends string>({
  label,
  none,
  value,
  options,
  onChange,
}: {
  label: string;
  /** What none means. */
  none: string;
  value: T[];
  options: { value: T; label: string }[];
  onChange: (chosen: T[]) => void;
}) {
  return (
    <Field label={label}>
      {(id) => (
        <Select
          id={id}
          mode="multiple"
          showSearch={{ optionFilterProp: 'label' }}
          placeholder={none}
          value={value}
          options={options}
          onChange={onChange}
        />
      )}
    </Field>
  );
}

/** Any number of words that nobody here knows beforehand. */
function Typed({
  label,
  hint,
  value,
  onChange,
}: {
  label: string;
  hint: string;
  value: string[];
  onChange: (typed: string[]) => void;
}) {
  return (
    <Field label={label}>
      {(id) => (
        <Select id={id} mode="tags" open={false} suffix={null} placeholder={hint} value={value} onChange={onChange} />
      )}
    </Field>
  );
}

/** Parts of the day; one may go past midnight. */
function Windows({
  windows,
  onChange,
}: {
  windows: Rule['when']['windows'];
  onChange: (windows: Rule['when']['windows']) => void;
}) {
  const { t } = useLanguage();
  const put = (at: number, part: Partial<(typeof windows)[number]>): void =>
    onChange(windows.map((window, place) => (place === at ? { ...window, ...part } : window)));
  return (
    <div className="field">
      <span className="field-label">{t('rules.form.windows')}</span>
      {windows.map((window, at) => (
        <span key={at} className="rule-window">
          <Input
            type="time"
            aria-label={t('rules.form.windowFrom')}
            value={window.begins.slice(0, 5)}
            onChange={(event) => event.target.value !== '' && put(at, { begins: `${event.target.value}:00` })}
          />
          {t('rules.form.dash')}
          <Input
            type="time"
            aria-label={t('rules.form.windowTo')}
            value={window.ends.slice(0, 5)}
            onChange={(event) => event.target.value !== '' && put(at, { ends: `${event.target.value}:00` })}
          />
          <Button
            type="text"
            icon={<CloseOutlined />}
            aria-label={t('rules.form.removeWindow')}
            onClick={() => onChange(windows.filter((_, place) => place !== at))}
          />
        </span>
      ))}
      <Button icon={<PlusOutlined />} onClick={() => onChange([...windows, NIGHT])}>
        {t('rules.form.addWindow')}
      </Button>
    </div>
  );
}
