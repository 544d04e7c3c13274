import { Button, Input, Select } from 'antd';
import { type SubmitEvent, useId, useState } from 'react';

import { Problem } from '../api/problem';
import type { PatientCopyPreview } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { Name } from '../design/PatientName';
import { useSites } from '../design/sites';
import { formatSize } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { Failed } from './UsageTab';
import { saveAs, useCopyPreview, usePatientCopy } from './copyQueries';

const NOT_FOUND = 404;
const REASON_MIN = 3;
const LONGEST_REASON = 1_000;

/** Hands a patient's own data to the patient: who it is is seen first, and why is said. */
export function CopyTab() {
  const { t, language } = useLanguage();
  const sites = useSites(true);
  const [site, setSite] = useState<string | null>(null);
  const [number, setNumber] = useState('');
  const preview = useCopyPreview();
  const ids = { site: useId(), number: useId() };
  const filled = site !== null && number.trim() !== '';
  const look = (event: SubmitEvent): void => {
    event.preventDefault();
    if (site !== null && filled) preview.mutate({ site_code: site, local_id: number.trim() });
  };
  // What is shown below belongs to the number that was asked for.
  const changed = (): void => preview.reset();
  return (
    <div className="copy">
      <p className="page-intro">
        <span>{t('copy.intro')}</span>
      </p>
      {sites.isError && <Failed error={sites.error} onRetry={() => void sites.refetch()} />}
      <form className="copy-form" onSubmit={look}>
        <label htmlFor={ids.site}>{t('keeping.column.site')}</label>
        <Select
          id={ids.site}
          loading={sites.isPending}
          showSearch={{ optionFilterProp: 'label' }}
          value={site}
          options={(sites.data ?? []).map((one) => ({ value: one.code, label: siteName(language, one) }))}
          onChange={(code: string) => {
            changed();
            setSite(code);
          }}
        />
        <label htmlFor={ids.number}>{t('copy.number')}</label>
        <Input
          id={ids.number}
          maxLength={64}
          autoComplete="off"
          value={number}
          onChange={(event) => {
            changed();
            setNumber(event.target.value);
          }}
        />
        <span />
        <span>
          <Button htmlType="submit" loading={preview.isPending} disabled={!filled}>
            {t('copy.look')}
          </Button>
        </span>
      </form>
      {preview.isError && (
        <div className="page-problem">
          {preview.error instanceof Problem && preview.error.status === NOT_FOUND ? (
            <p role="alert" className="strong">
              {t('copy.nobody')}
            </p>
          ) : (
            <ProblemNotice error={preview.error} />
          )}
        </div>
      )}
      {preview.data !== undefined && <HandOver key={preview.data.local_id} found={preview.data} />}
    </div>
  );
}

function HandOver({ found }: { found: PatientCopyPreview }) {
  const { t, language } = useLanguage();
  const [reason, setReason] = useState('');
  const { download, received, ...state } = usePatientCopy();
  const reasonId = useId();
  const hand = async (): Promise<void> => {
    const archive = await download({ ...found, reason: reason.trim() });
    if (archive !== null) saveAs(archive, `${found.site_code}-${found.local_id}.zip`);
  };
  const sex = found.sex === 'M' || found.sex === 'F' || found.sex === 'O' ? t(`sex.${found.sex}`) : t('app.none');
  return (
    <section className="copy-found" aria-label={t('copy.whose')}>
      <h2>{t('copy.whose')}</h2>
      <p className="copy-who">
        <span className="strong">
          <Name name={found.patient_name} latin={found.patient_latin_name} />
        </span>
        <span>{sex}</span>
        <span>{t('copy.born', { day: found.birth_date ?? t('app.none') })}</span>
        <span className="quiet">{found.local_id}</span>
      </p>
      <p>{t('copy.kept', { n: found.studies, day: found.last_study_date ?? t('app.none') })}</p>
      <p className="quiet">{t('copy.contents')}</p>
      <label htmlFor={reasonId} className="reason-label">
        {t('reason.label')}
      </label>
      <Input.TextArea
        id={reasonId}
        rows={2}
        maxLength={LONGEST_REASON}
        autoFocus
        placeholder={t('copy.reasonHint')}
        value={reason}
        onChange={(event) => setReason(event.target.value)}
      />
      <p className="copy-act">
        <Button
          type="primary"
          loading={state.isPending}
          disabled={reason.trim().length < REASON_MIN}
          onClick={() => void hand()}
        >
          {t('copy.download')}
        </Button>
        <span role="status">
          {state.isPending && t('copy.receiving', { size: formatSize(language, received) })}
          {state.isDone && t('copy.done', { size: formatSize(language, received) })}
        </span>
      </p>
      {state.error !== null && <ProblemNotice error={state.error} />}
    </section>
  );
}
