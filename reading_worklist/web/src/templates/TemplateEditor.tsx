import { App, Button, Input, Select } from 'antd';
import { useDeferredValue, useId, useState } from 'react';
import { useBlocker } from 'react-router';

import { asProblem } from '../api/problem';
import type { CodeName, Template, TemplateBody } from '../api/types';
import { isPlainKey, type PlainKey } from '../i18n/catalogue';
import { formatDateTime } from '../i18n/format';
import { LANGUAGES } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';
import { FieldsEditor } from './FieldsEditor';
import { useFlawWords } from './flawWords';
import { Preview } from './Preview';
import { useRegions, useTemplateAct } from './queries';

const MODALITIES = ['CT', 'MR', 'CR', 'DX', 'MG', 'US', 'ECG', 'XA', 'RF', 'NM', 'PT'];
const CODES: readonly CodeName[] = ['ecg_class', 'bi_rads', 'pi_rads', 'laterality', 'result', 'image_grade'];
const TEXTS = ['findings', 'impression', 'advice'] as const;
const LONGEST_TITLE = 100;

interface TemplateEditorProps {
  /** The one that is changed; none for a new one. */
  template?: Template;
  body: TemplateBody;
  mayEdit: boolean;
  onSaved: (template: Template) => void;
  onCopy: (body: TemplateBody) => void;
}

/** A template: which exams it is for, its texts and fields, and what comes out of it. */
export function TemplateEditor({ template, body: given, mayEdit, onSaved, onCopy }: TemplateEditorProps) {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const flawWords = useFlawWords();
  const regions = useRegions();
  const { mutateAsync, isPending } = useTemplateAct();
  const [body, setBody] = useState(given);
  const [refusal, setRefusal] = useState<string | null>(null);
  const id = useId();
  const previewed = useDeferredValue(body);
  const dirty = JSON.stringify(body) !== JSON.stringify(given);
  useBlocker(() => dirty && !isPending && !confirm(t('draft.leave')));
  const set = (part: Partial<TemplateBody>): void => setBody({ ...body, ...part });

  const perform = async (request: Parameters<typeof mutateAsync>[0]): Promise<void> => {
    setRefusal(null);
    try {
      const saved = await mutateAsync(request);
      void message.success(t('templates.saved'));
      onSaved(saved);
    } catch (error) {
      const problem = asProblem(error);
      const words = wordsOf(language, problem);
      setRefusal(problem.document.flaw === undefined ? `${words.title} ${words.remedy ?? ''}` : flawWords(problem));
    }
  };
  const save = (): void =>
    void perform(template === undefined ? { act: 'make', body } : { act: 'change', template, body });
  const incomplete = body.title.trim() === '';
  return (
    <div className="template">
      <div className="template-edit">
        {!mayEdit && <p className="quiet">{t('templates.readOnly')}</p>}
        <fieldset disabled={!mayEdit} className="template-facts">
          <label htmlFor={`${id}title`} className="template-wide">
            {t('templates.name')}
            <Input
              id={`${id}title`}
              maxLength={LONGEST_TITLE}
              autoFocus={template === undefined}
              value={body.title}
              onChange={(event) => set({ title: event.target.value })}
            />
          </label>
          <label htmlFor={`${id}modalities`}>
            {t('templates.modalities')}
            <Select
              id={`${id}modalities`}
              mode="multiple"
              disabled={!mayEdit}
              placeholder={t('templates.any')}
              value={body.modalities}
              options={MODALITIES.map((value) => ({ value, label: value }))}
              onChange={(modalities: string[]) => set({ modalities })}
            />
          </label>
          <label htmlFor={`${id}regions`}>
            {t('templates.regions')}
            <Select
              id={`${id}regions`}
              mode="multiple"
              disabled={!mayEdit}
              showSearch={{ optionFilterProp: 'label' }}
              placeholder={t('templates.any')}
              value={body.regions}
              options={(regions.data ?? []).map((value) => ({ value, label: named(`check.value.${value}`, value, t) }))}
              onChange={(chosen: string[]) => set({ regions: chosen })}
            />
          </label>
          <label htmlFor={`${id}sex`}>
            {t('templates.sex')}
            <Select
              id={`${id}sex`}
              disabled={!mayEdit}
              value={body.sex}
              options={[
                { value: '', label: t('templates.sex.any') },
                { value: 'F', label: t('check.value.F') },
                { value: 'M', label: t('check.value.M') },
              ]}
              onChange={(sex: TemplateBody['sex']) => set({ sex })}
            />
          </label>
          <label htmlFor={`${id}language`}>
            {t('templates.language')}
            <Select
              id={`${id}language`}
              disabled={!mayEdit}
              value={body.language}
              options={LANGUAGES.map((value) => ({ value, label: t(`language.${value}`) }))}
              onChange={(chosen) => set({ language: chosen })}
            />
          </label>
          <label htmlFor={`${id}codes`}>
            {t('templates.requiredCodes')}
            <Select
              id={`${id}codes`}
              mode="multiple"
              disabled={!mayEdit}
              value={body.required_codes}
              options={CODES.map((value) => ({ value, label: t(`code.${value}`) }))}
              onChange={(codes: CodeName[]) => set({ required_codes: codes })}
            />
          </label>
          <p className="template-wide quiet small">{t('templates.texts')}</p>
          {TEXTS.map((part) => (
            <label key={part} htmlFor={id + part} className="template-wide">
              {t(part === 'advice' ? 'report.advice' : `report.${part}.imaging`)}
              <Input.TextArea
                id={id + part}
                disabled={!mayEdit}
                autoSize={{ minRows: part === 'findings' ? 5 : 2, maxRows: 14 }}
                maxLength={20_000}
                value={body[part]}
                onChange={(event) => set({ [part]: event.target.value })}
              />
            </label>
          ))}
        </fieldset>
        <FieldsEditor fields={body.fields} disabled={!mayEdit} onChange={(fields) => set({ fields })} />
      </div>
      <div className="template-side">
        {template !== undefined && (
          <p className="quiet small">
            {t('templates.version', { n: template.version })} ·{' '}
            {template.made_by === ''
              ? t('templates.shipped')
              : t('templates.madeBy', { name: template.made_by, time: formatDateTime(template.made_at) })}
          </p>
        )}
        <Preview body={previewed} />
        {refusal !== null && (
          <p className="reason-message" role="alert">
            {refusal}
          </p>
        )}
        {mayEdit && (
          <div className="template-acts">
            {template !== undefined && (
              <>
                <Button
                  loading={isPending}
                  onClick={() => void perform({ act: template.retired ? 'restore' : 'retire', template })}
                >
                  {t(template.retired ? 'templates.restore' : 'templates.retire')}
                </Button>
                <Button onClick={() => onCopy(body)}>{t('templates.copy')}</Button>
              </>
            )}
            {dirty && <Button onClick={() => setBody(given)}>{t('templates.discard')}</Button>}
            <Button type="primary" loading={isPending} disabled={incomplete || !dirty} onClick={save}>
              {t('app.save')}
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}

function named(key: string, otherwise: string, t: (key: PlainKey) => string): string {
  return isPlainKey(key) ? t(key) : otherwise;
}
