import { DownloadOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useState } from 'react';
import { useSearchParams } from 'react-router';

import { serverNow } from '../api/serverClock';
import type { Measure, Rate, StatisticsRow } from '../api/types';
import { Empty, ProblemNotice } from '../design/Notice';
import { Pager } from '../design/Pager';
import { type Column, Table } from '../design/Table';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { ExamTable } from './ExamTable';
import { type Counted, PAGE_SIZE, useCounted, useStatistics } from './queries';
import { MONTH, monthOf, SEGMENTS, shareOf, spanOf } from './statistics';
import './portal.css';

type Chosen = Omit<Counted, 'page'>;

/** The site's own month: what it sent, how long it waited, what it can do better; each figure shows its exams. */
export function StatisticsPage() {
  const { t, language } = useLanguage();
  const [parameters, setParameters] = useSearchParams();
  const given = parameters.get('month') ?? '';
  const month = MONTH.test(given) ? given : monthOf(serverNow());
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const figures = useStatistics(month);
  const columns = useColumns(month, setChosen);
  const sent = figures.data?.rows[0]?.sent ?? 0;
  return (
    <div className="page portal-statistics">
      <div className="page-head">
        <h1>{t('statistics.title')}</h1>
        <input
          type="month"
          className="portal-month"
          aria-label={t('statistics.month')}
          value={month}
          max={monthOf(serverNow())}
          onChange={(event) => {
            if (!MONTH.test(event.target.value)) return;
            setParameters({ month: event.target.value }, { replace: true });
            setChosen(null);
          }}
        />
        <span className="page-space" />
        {figures.data !== undefined && (
          <span className="quiet">{t('statistics.until', { time: formatDateTime(figures.data.made_at) })}</span>
        )}
        <Button
          icon={<DownloadOutlined />}
          href={`/api/portal/statistics.csv?month=${month}&language=${language}`}
          download
        >
          {t('statistics.export')}
        </Button>
      </div>
      {figures.isError && (
        <div className="page-problem">
          <ProblemNotice
            heading={t('statistics.failed')}
            error={figures.error}
            onRetry={() => void figures.refetch()}
          />
        </div>
      )}
      {figures.data !== undefined && sent === 0 ? (
        <div className="page-empty">
          <Empty title={t('statistics.empty.title')} text={t('statistics.empty.text')} />
        </div>
      ) : (
        <>
          <div className="portal-figures">
            <Table
              label={t('statistics.title')}
              columns={columns}
              rows={figures.data?.rows ?? (figures.isError ? [] : null)}
              rowKey={(row) => row.modality}
              old={figures.isPlaceholderData}
            />
            <p className="portal-figures-note quiet">{t('statistics.note')}</p>
          </div>
          {chosen !== null && <Behind key={JSON.stringify(chosen)} chosen={chosen} />}
        </>
      )}
    </div>
  );
}

/** The exams that the chosen figure counts. */
function Behind({ chosen }: { chosen: Chosen }) {
  const { t } = useLanguage();
  const [page, setPage] = useState(1);
  const exams = useCounted({ ...chosen, page });
  const modality = chosen.modality === 'ALL' ? t('statistics.all') : chosen.modality;
  return (
    <section className="portal-behind" aria-label={t('statistics.behind')}>
      <h2>{t('statistics.behind.of', { modality, measure: t(`statistics.measure.${chosen.measure}`) })}</h2>
      {exams.isError && <ProblemNotice error={exams.error} onRetry={() => void exams.refetch()} />}
      <ExamTable
        label={t('statistics.behind')}
        exams={exams.data?.items ?? (exams.isError ? [] : null)}
        old={exams.isPlaceholderData}
      />
      <Pager page={page} pageSize={PAGE_SIZE} total={exams.data?.total ?? 0} onPage={setPage} />
    </section>
  );
}

function useColumns(month: string, onChoose: (chosen: Chosen) => void): Column<StatisticsRow>[] {
  const { t, language } = useLanguage();
  const count = (row: StatisticsRow, measure: Measure, n: number) => (
    <Figure n={n} onChoose={() => onChoose({ month, modality: row.modality, measure })} />
  );
  const rate = (row: StatisticsRow, measure: Measure, share: Rate) => (
    <>
      <div>{shareOf(share)}</div>
      <div className="small">
        {count(row, measure, share.numerator)}
        <span className="quiet"> / {share.denominator}</span>
      </div>
    </>
  );
  return [
    {
      key: 'modality',
      heading: t('portal.modality'),
      width: 80,
      cell: (row) => <span className="strong">{row.modality === 'ALL' ? t('statistics.all') : row.modality}</span>,
    },
    {
      key: 'sent',
      heading: t('statistics.measure.sent'),
      width: 70,
      cell: (row) => count(row, 'sent', row.sent),
    },
    ...SEGMENTS.map((segment) => ({
      key: segment,
      heading: t(`statistics.segment.${segment}`),
      cell: (row: StatisticsRow) => {
        const span = row.segments[segment];
        return (
          <>
            <div>{spanOf(language, span?.median ?? null)}</div>
            <div className="quiet small">{spanOf(language, span?.p90 ?? null)}</div>
          </>
        );
      },
    })),
    {
      key: 'in_time',
      heading: t('statistics.inTime'),
      cell: (row) => <>{rate(row, 'in_time', row.in_time)}</>,
    },
    { key: 'retakes', heading: t('statistics.measure.retakes'), cell: (row) => rate(row, 'retakes', row.retakes) },
    { key: 'grade_a', heading: t('statistics.gradeA'), cell: (row) => rate(row, 'grade_a', row.grade_a) },
    { key: 'unopened', heading: t('statistics.measure.unopened'), cell: (row) => rate(row, 'unopened', row.unopened) },
    { key: 'critical', heading: t('statistics.critical'), cell: (row) => rate(row, 'critical_in_time', row.critical) },
    {
      key: 'chest_pain',
      heading: t('statistics.chestPain'),
      cell: (row) => rate(row, 'chest_pain_in_time', row.chest_pain),
    },
  ];
}

function Figure({ n, onChoose }: { n: number; onChoose: () => void }) {
  const { t } = useLanguage();
  if (n === 0) return <>0</>;
  return (
    <button type="button" className="portal-figure" title={t('statistics.show')} onClick={onChoose}>
      {n}
    </button>
  );
}
