import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';

import { serverNow } from '../api/serverClock';
import type { ChestPainInterval, CountedEcg, EmergencyIndicators } from '../api/types';
import { Chip } from '../design/Chip';
import { Empty, ProblemNotice } from '../design/Notice';
import { type Column, Table } from '../design/Table';
import { formatDateTime, formatDuration } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { MONTH, monthOf, shareOf, spanOf } from '../portal/statistics';
import { useSession } from '../session/session';
import type { ChestPainMeasure } from './chestPain';
import { useChestPain, useChestPainExams } from './queries';
import './emergency.css';

interface Line {
  name: 'contact' | 'diagnosis';
  interval: ChestPainInterval;
}

/** How often chest-pain ECGs were in time, month by month, and the ECGs behind each figure. */
export function ChestPainPage() {
  const { t } = useLanguage();
  const { data: session } = useSession();
  const [parameters, setParameters] = useSearchParams();
  const given = parameters.get('month') ?? '';
  const month = MONTH.test(given) ? given : monthOf(serverNow());
  const [measure, setMeasure] = useState<ChestPainMeasure | null>(null);
  const figures = useChestPain(month);
  // A regulator sees figures, not patients.
  const drills = session?.roles.some((role) => role !== 'regulator') === true;
  const choose = drills ? setMeasure : null;
  const columns = useColumns(choose);
  const { data } = figures;
  return (
    <div className="page chest-pain">
      <div className="page-head">
        <h1>{t('chestPain.title')}</h1>
        <input
          type="month"
          className="chest-pain-month"
          aria-label={t('chestPain.month')}
          value={month}
          max={monthOf(serverNow())}
          onChange={(event) => {
            if (!MONTH.test(event.target.value)) return;
            setParameters({ month: event.target.value }, { replace: true });
            setMeasure(null);
          }}
        />
        <span className="page-note">{t('chestPain.clocks')}</span>
      </div>
      {figures.isError && (
        <div className="page-problem">
          <ProblemNotice heading={t('chestPain.failed')} error={figures.error} onRetry={() => void figures.refetch()} />
        </div>
      )}
      {data?.ecgs === 0 ? (
        <div className="page-empty">
          <Empty title={t('chestPain.empty.title')} text={t('chestPain.empty.text')} />
        </div>
      ) : (
        <>
          <div className="chest-pain-figures">
            <Table
              label={t('chestPain.table')}
              columns={columns}
              rows={data === undefined ? (figures.isError ? [] : null) : linesOf(data)}
              rowKey={(line) => line.name}
              old={figures.isPlaceholderData}
            />
            {data !== undefined && <Counts data={data} onChoose={choose} />}
          </div>
          {measure !== null && drills && <Behind month={month} measure={measure} />}
        </>
      )}
    </div>
  );
}

function linesOf(data: EmergencyIndicators): Line[] {
  return [
    { name: 'contact', interval: data.contact_to_ecg },
    { name: 'diagnosis', interval: data.ecg_to_diagnosis },
  ];
}

type Choose = ((measure: ChestPainMeasure) => void) | null;

function Counts({ data, onChoose }: { data: EmergencyIndicators; onChoose: Choose }) {
  const { t } = useLanguage();
  return (
    <p className="chest-pain-counts">
      <Figure text={t('chestPain.count', { n: data.ecgs })} n={data.ecgs} measure="ecgs" onChoose={onChoose} />
      {data.contact_unknown > 0 && (
        <Figure
          text={t('chestPain.unknown', { n: data.contact_unknown })}
          n={data.contact_unknown}
          measure="contact_unknown"
          onChoose={onChoose}
        />
      )}
    </p>
  );
}

function useColumns(onChoose: Choose): Column<Line>[] {
  const { t, language } = useLanguage();
  return [
    {
      key: 'interval',
      heading: t('chestPain.interval'),
      width: '34%',
      cell: ({ name, interval }) => (
        <>
          <span className="strong">{t(`chestPain.${name}`)}</span>
          <div className="quiet small">
            {t('chestPain.inTime', { limit: formatDuration(language, interval.limit_seconds * 1000) })}
          </div>
        </>
      ),
    },
    {
      key: 'rate',
      heading: t('chestPain.rate'),
      cell: ({ name, interval: { rate } }) => (
        <>
          <div className="chest-pain-rate">{shareOf(rate)}</div>
          <div className="small">
            <Figure text={String(rate.numerator)} n={rate.numerator} measure={`${name}_in_time`} onChoose={onChoose} />
            <span className="quiet"> / </span>
            <Figure text={String(rate.denominator)} n={rate.denominator} measure={`${name}_due`} onChoose={onChoose} />
          </div>
        </>
      ),
    },
    {
      key: 'wanted',
      heading: t('chestPain.wanted'),
      cell: ({ interval: { wanted, rate } }) =>
        wanted === null ? (
          t('app.none')
        ) : (
          <>
            {t('chestPain.wanted.share', { percent: Math.round(wanted * 100) })}{' '}
            {rate.value !== null && (
              <Chip tone={rate.value >= wanted ? 'green' : 'red'}>
                {t(rate.value >= wanted ? 'chestPain.met' : 'chestPain.missed')}
              </Chip>
            )}
          </>
        ),
    },
    { key: 'mean', heading: t('chestPain.mean'), cell: ({ interval }) => spanOf(language, interval.mean_seconds) },
    {
      key: 'median',
      heading: t('chestPain.median'),
      cell: ({ interval }) => spanOf(language, interval.median_seconds),
    },
  ];
}

function Figure(props: { text: string; n: number; measure: ChestPainMeasure; onChoose: Choose }) {
  const { text, n, measure, onChoose } = props;
  const { t } = useLanguage();
  if (n === 0 || onChoose === null) return <span>{text}</span>;
  return (
    <button type="button" className="link-button" title={t('chestPain.show')} onClick={() => onChoose(measure)}>
      {text}
    </button>
  );
}

/** The ECGs that the chosen figure counts. */
function Behind({ month, measure }: { month: string; measure: ChestPainMeasure }) {
  const { t, language } = useLanguage();
  const exams = useChestPainExams(month, measure);
  const columns: Column<CountedEcg>[] = [
    {
      key: 'received',
      heading: t('chestPain.column.received'),
      cell: (ecg) => formatDateTime(ecg.received_at),
    },
    { key: 'site', heading: t('chestPain.column.site'), cell: (ecg) => siteName(language, ecg.site) },
    {
      key: 'contact',
      heading: t('chestPain.column.contact'),
      cell: (ecg) => spanOf(language, ecg.contact_to_ecg_seconds),
    },
    {
      key: 'diagnosis',
      heading: t('chestPain.column.diagnosis'),
      cell: (ecg) => spanOf(language, ecg.ecg_to_diagnosis_seconds),
    },
    {
      key: 'open',
      heading: '',
      cell: (ecg) => <Link to={`/exams/${ecg.workitem_id}`}>{t('chestPain.openExam')}</Link>,
    },
  ];
  return (
    <section className="chest-pain-behind" aria-label={t('chestPain.behind')}>
      <h2>{t(`chestPain.measure.${measure}`)}</h2>
      {exams.isError && <ProblemNotice error={exams.error} onRetry={() => void exams.refetch()} />}
      {exams.data?.items.length === 0 ? (
        <p className="quiet">{t('chestPain.nothingBehind')}</p>
      ) : (
        <Table
          label={t('chestPain.behind')}
          columns={columns}
          rows={exams.data?.items ?? (exams.isError ? [] : null)}
          rowKey={(ecg) => ecg.workitem_id}
          old={exams.isPlaceholderData}
        />
      )}
    </section>
  );
}
