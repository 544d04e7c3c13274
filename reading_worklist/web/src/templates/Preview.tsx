import { Skeleton } from 'antd';

import { asProblem } from '../api/problem';
import type { TemplateBody } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { ReportTextView } from '../reading/ReportTextView';
import { useFlawWords } from './flawWords';
import { usePreview } from './queries';
import '../reading/report.css';

/** What a doctor gets who fills nothing in: the defaults, and a mark where a value is needed. */
export function Preview({ body }: { body: TemplateBody }) {
  const { t } = useLanguage();
  const flawWords = useFlawWords();
  const preview = usePreview(body);
  const problem = preview.isError ? asProblem(preview.error) : null;
  return (
    <section className="template-preview" aria-label={t('templates.preview')}>
      <h2>{t('templates.preview')}</h2>
      {problem !== null &&
        (problem.document.flaw === undefined ? (
          <ProblemNotice error={problem} />
        ) : (
          <p className="template-flaw" role="status">
            <strong>{t('templates.preview.flaw')}</strong> {flawWords(problem)}
          </p>
        ))}
      {problem === null && preview.data === undefined && <Skeleton active title={false} />}
      {preview.data !== undefined && problem === null && <ReportTextView lane="imaging" text={preview.data} />}
    </section>
  );
}
