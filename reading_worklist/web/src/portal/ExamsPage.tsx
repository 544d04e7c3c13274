import { Select } from 'antd';
import { useMemo } from 'react';
import { useSearchParams } from 'react-router';

import { Empty, ProblemNotice } from '../design/Notice';
import { Pager } from '../design/Pager';
import { SearchField } from '../design/SearchField';
import { useLanguage } from '../i18n/language';
import { ExamTable } from './ExamTable';
import { type ExamFilters, filtersFrom, isNarrowed, MODALITIES, NEEDS, parametersFrom } from './filters';
import { PAGE_SIZE, useExams } from './queries';
import { EXAM_STEPS } from './road';
import './portal.css';

/** Every exam of the site, from its order on, and where each is on its road. */
export function ExamsPage() {
  const { t } = useLanguage();
  const [parameters, setParameters] = useSearchParams();
  const filters = useMemo(() => filtersFrom(parameters), [parameters]);
  const exams = useExams(filters);
  const change = (part: Partial<ExamFilters>): void => {
    setParameters((old) => parametersFrom({ ...filtersFrom(old), page: 1, ...part }), { replace: true });
  };
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('portal.title')}</h1>
        <span className="page-space" />
        <Select
          aria-label={t('portal.needs')}
          className="portal-step"
          value={filters.needs ?? ''}
          options={[
            { value: '', label: t('portal.needs.all') },
            ...NEEDS.map((need) => ({ value: need, label: t(`portal.needs.${need}`) })),
          ]}
          onChange={(chosen) => change({ needs: NEEDS.find((need) => need === chosen) ?? null })}
        />
        <Select
          aria-label={t('portal.state')}
          className="portal-step"
          value={filters.step ?? ''}
          options={[
            { value: '', label: t('portal.state.all') },
            ...EXAM_STEPS.map((step) => ({ value: step, label: t(`road.step.${step}`) })),
          ]}
          onChange={(chosen) => change({ step: EXAM_STEPS.find((step) => step === chosen) ?? null })}
        />
        <Select
          aria-label={t('portal.modality')}
          className="portal-modality"
          value={filters.modality ?? ''}
          options={[
            { value: '', label: t('portal.modality.all') },
            ...MODALITIES.map((one) => ({ value: one, label: one })),
          ]}
          onChange={(chosen) => change({ modality: MODALITIES.find((one) => one === chosen) ?? null })}
        />
        <SearchField
          key={filters.text}
          className="portal-search"
          label={t('portal.search')}
          placeholder={t('portal.searchHint')}
          text={filters.text}
          onSearch={(text) => change({ text })}
        />
      </div>
      {exams.isError && (
        <div className="page-problem">
          <ProblemNotice heading={t('portal.failed')} error={exams.error} onRetry={() => void exams.refetch()} />
        </div>
      )}
      {exams.data?.total === 0 ? (
        <div className="page-empty">
          {isNarrowed(filters) ? (
            <Empty title={t('worklist.emptyFilter.title')} text={t('worklist.emptyFilter.text')} />
          ) : (
            <Empty title={t('portal.empty.title')} text={t('portal.empty.text')} />
          )}
        </div>
      ) : (
        <ExamTable
          label={t('portal.table')}
          exams={exams.data?.items ?? (exams.isError ? [] : null)}
          old={exams.isPlaceholderData}
        />
      )}
      <Pager
        page={filters.page}
        pageSize={PAGE_SIZE}
        total={exams.data?.total ?? 0}
        onPage={(page) => change({ page })}
      />
    </div>
  );
}
