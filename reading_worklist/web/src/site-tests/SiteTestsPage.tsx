import { Button } from 'antd';
import { Link, useNavigate, useParams } from 'react-router';

import type { SiteTestFinding, SiteTestSummary } from '../api/types';
import { Chip, type Tone } from '../design/Chip';
import { Empty, ProblemNotice } from '../design/Notice';
import { QueryTable } from '../design/QueryTable';
import { type Column, Table } from '../design/Table';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteOf } from '../i18n/siteName';
import { isRunning, useSiteTest, useSiteTests, useStartSiteTest } from './queries';
import './siteTests.css';

/** Every site with its last test, or the findings of one. */
export function SiteTestsPage() {
  const { code } = useParams();
  return code === undefined ? <Sites /> : <OneSite code={code} key={code} />;
}

function Sites() {
  const { t, language } = useLanguage();
  const navigate = useNavigate();
  const tests = useSiteTests();
  const start = useStartSiteTest();
  const columns: Column<SiteTestSummary>[] = [
    {
      key: 'site',
      heading: t('siteTests.column.site'),
      width: '32%',
      cell: (one) => (
        <Link className="strong" to={`/site-tests/${encodeURIComponent(one.site_code)}`}>
          {siteOf(language, one)}
        </Link>
      ),
    },
    {
      key: 'last',
      heading: t('siteTests.column.last'),
      width: 190,
      cell: (one) =>
        one.asked_at === null ? <span className="quiet">{t('siteTests.never')}</span> : formatDateTime(one.asked_at),
    },
    { key: 'result', heading: t('siteTests.column.result'), cell: (one) => <Result test={one} /> },
    {
      key: 'act',
      heading: t('siteTests.column.act'),
      width: 130,
      cell: (one) => (
        <Button
          size="small"
          disabled={start.isPending}
          onClick={() =>
            start.mutate(one.site_code, {
              onSuccess: () => void navigate(`/site-tests/${encodeURIComponent(one.site_code)}`),
            })
          }
        >
          {t('siteTests.start')}
        </Button>
      ),
    },
  ];
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('siteTests.title')}</h1>
      </div>
      <p className="page-intro">{t('siteTests.intro')}</p>
      {start.isError && (
        <div className="page-problem">
          <ProblemNotice heading={t('siteTests.notStarted')} error={start.error} />
        </div>
      )}
      <QueryTable
        query={tests}
        failed={t('siteTests.failed')}
        empty={{ title: t('siteTests.empty.title'), text: t('siteTests.empty.text') }}
        label={t('siteTests.table')}
        columns={columns}
        rowKey={(one) => one.site_code}
      />
    </div>
  );
}

function Result({ test }: { test: SiteTestSummary }) {
  const { t } = useLanguage();
  if (test.asked_at === null) return <span className="quiet">{t('app.none')}</span>;
  if (test.ended_at === null) return <Chip tone="blue">{t('siteTests.running')}</Chip>;
  const failed = test.counts['failed'] ?? 0;
  const warning = test.counts['warning'] ?? 0;
  if (failed + warning === 0) return <Chip tone="green">{t('siteTests.ok')}</Chip>;
  return (
    <Chip tone={failed > 0 ? 'red' : 'amber'}>
      {t('siteTests.counts', { failed: String(failed), warning: String(warning) })}
    </Chip>
  );
}

function OneSite({ code }: { code: string }) {
  const { t, language } = useLanguage();
  const tests = useSiteTests();
  const test = useSiteTest(code);
  const start = useStartSiteTest();
  const columns = useFindingColumns();
  const site = tests.data?.find((one) => one.site_code === code);
  const running = isRunning(test.data);
  const found = test.data?.findings ?? [];
  return (
    <div className="page">
      <div className="page-head">
        <h1>
          {t('siteTests.title')} · {site === undefined ? code : siteOf(language, site)}
        </h1>
        {running && <Chip tone="blue">{t('siteTests.running')}</Chip>}
        <span className="page-space" />
        <Link to="/site-tests">{t('siteTests.back')}</Link>
        <Button type="primary" loading={start.isPending || running} onClick={() => start.mutate(code)}>
          {t(test.data ? 'siteTests.again' : 'siteTests.start')}
        </Button>
      </div>
      <p className="page-intro" aria-live="polite">
        {test.data ? t('siteTests.at', { time: formatDateTime(test.data.asked_at) }) : t('siteTests.intro')}
      </p>
      {(start.isError || test.isError) && (
        <div className="page-problem">
          <ProblemNotice
            heading={t(start.isError ? 'siteTests.notStarted' : 'siteTests.failed')}
            error={start.error ?? test.error}
            onRetry={() => (start.isError ? start.mutate(code) : void test.refetch())}
          />
        </div>
      )}
      {test.data === null ? (
        <div className="page-empty">
          <Empty title={t('siteTests.none.title')} text={t('siteTests.none.text')} />
        </div>
      ) : (
        <Table
          label={t('siteTests.findings')}
          columns={columns}
          rows={test.data === undefined && !test.isError ? null : found}
          rowKey={(one) => `${one.check} ${one.subject}`}
          plain
        />
      )}
    </div>
  );
}

const TONES: Record<SiteTestFinding['outcome'], Tone> = {
  passed: 'green',
  warning: 'amber',
  failed: 'red',
  skipped: 'slate',
};

function useFindingColumns(): Column<SiteTestFinding>[] {
  const { t, language } = useLanguage();
  const said = (one: SiteTestFinding) => (language === 'zh-CN' ? one.zh : one.en);
  return [
    {
      key: 'outcome',
      heading: t('siteTests.column.outcome'),
      width: 110,
      cell: (one) => (
        <Chip tone={TONES[one.outcome]} hollow={one.outcome === 'skipped'}>
          {t(`siteTests.outcome.${one.outcome}`)}
        </Chip>
      ),
    },
    {
      key: 'what',
      heading: t('siteTests.column.what'),
      width: '28%',
      cell: (one) => (
        <>
          <span className="strong">{said(one).what}</span>
          {one.subject !== '' && <div className="quiet small site-test-wraps">{one.subject}</div>}
        </>
      ),
    },
    {
      key: 'expected',
      heading: t('siteTests.column.expected'),
      width: '20%',
      cell: (one) => <span className="quiet site-test-wraps">{said(one).expected}</span>,
    },
    {
      key: 'found',
      heading: t('siteTests.column.found'),
      cell: (one) => (
        <div className="site-test-wraps">
          {said(one).found}
          {said(one).remedy !== '' && one.outcome !== 'passed' && (
            <div className="site-test-remedy">→ {said(one).remedy}</div>
          )}
        </div>
      ),
    },
  ];
}
