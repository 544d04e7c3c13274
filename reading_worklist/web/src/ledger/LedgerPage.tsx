import { DownloadOutlined } from '@ant-design/icons';
import { Button, Segmented, Select } from 'antd';
import { useMemo } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';

import type { LedgerLine, Session } from '../api/types';
import { DeliveryChip, ModalityMark, PriorityMark } from '../design/Chip';
import { useMinute } from '../design/clock';
import { Empty, ProblemNotice } from '../design/Notice';
import { PatientName, SexAge } from '../design/PatientName';
import { SearchField } from '../design/SearchField';
import { useSites } from '../design/sites';
import { type Column, Table } from '../design/Table';
import { formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { examTime } from '../portal/ExamTable';
import { Road } from '../portal/Road';
import { useSession } from '../session/session';
import { Counts } from './Counts';
import { STUCK_RULES } from './rules';
import { exportAddress, type LedgerFilters, useLedger } from './queries';
import { Reasons } from './Reasons';
import './ledger.css';

/** Who sees the names of several sites; for others there is nothing to choose. */
const SITE_CHOOSERS = ['writer', 'reviewer', 'dispatcher', 'consortium_admin', 'quality_controller'];

/** Whether a person belongs to the centre, which has several sites to choose from. */
export function choosesSite(session: Session | null | undefined): boolean {
  return session?.roles.some((role) => SITE_CHOOSERS.includes(role)) === true;
}

function filtersFrom(parameters: URLSearchParams): LedgerFilters {
  const rule = STUCK_RULES.find((one) => one === parameters.get('rule')) ?? null;
  const text = parameters.get('q') ?? '';
  return {
    stuck: rule !== null || parameters.get('show') === 'stuck',
    rule,
    text,
    site: parameters.get('site'),
  };
}

function parametersFrom({ stuck, rule, text, site }: LedgerFilters): URLSearchParams {
  const parameters = new URLSearchParams();
  if (stuck) parameters.set('show', 'stuck');
  if (rule !== null) parameters.set('rule', rule);
  if (text !== '') parameters.set('q', text);
  if (site !== null) parameters.set('site', site);
  return parameters;
}

/** Of every exam one line from its order to the opened report; and what is stuck, why, and who mends it. */
export function LedgerPage() {
  const { t, language } = useLanguage();
  const navigate = useNavigate();
  const { data: session } = useSession();
  const [parameters, setParameters] = useSearchParams();
  const filters = useMemo(() => filtersFrom(parameters), [parameters]);
  const ledger = useLedger(filters);
  const columns = useColumns(choosesSite(session));
  const change = (part: Partial<LedgerFilters>): void => {
    setParameters((old) => parametersFrom({ ...filtersFrom(old), ...part }), { replace: true });
  };
  const lines = ledger.data?.pages.flatMap((page) => page.items);
  const total = ledger.data?.pages[0]?.total ?? null;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('ledger.title')}</h1>
        <Segmented
          aria-label={t('ledger.title')}
          value={filters.stuck ? 'stuck' : 'all'}
          options={[
            { value: 'all', label: t('ledger.all') },
            { value: 'stuck', label: t('ledger.stuck') },
          ]}
          onChange={(chosen) => change({ stuck: chosen === 'stuck', rule: null, text: '' })}
        />
        <span className="page-space" />
        {choosesSite(session) && <SiteChoice site={filters.site} onSite={(site) => change({ site })} />}
        {!filters.stuck && (
          <SearchField
            key={filters.text}
            className="ledger-search"
            label={t('ledger.search')}
            placeholder={t('portal.searchHint')}
            text={filters.text}
            onSearch={(text) => change({ text })}
          />
        )}
        <Button icon={<DownloadOutlined />} href={exportAddress(filters, language)}>
          {t('ledger.export')}
        </Button>
      </div>
      {filters.stuck && (
        <Counts site={filters.site} chosen={filters.rule} onChoose={(rule) => change({ rule, stuck: true })} />
      )}
      {ledger.isError && (
        <div className="page-problem">
          <ProblemNotice heading={t('ledger.failed')} error={ledger.error} onRetry={() => void ledger.refetch()} />
        </div>
      )}
      {lines?.length === 0 ? (
        <div className="page-empty">
          <Nothing filters={filters} />
        </div>
      ) : (
        <Table
          label={t('ledger.table')}
          columns={columns}
          rows={lines ?? (ledger.isError ? [] : null)}
          rowKey={(line) => line.id}
          onRow={(line) => void navigate(`/ledger/${line.id}`)}
        />
      )}
      {lines !== undefined && lines.length > 0 && (
        <footer className="ledger-foot">
          <span aria-live="polite">
            {total === null ? t('ledger.shown', { n: lines.length }) : t('ledger.shown.of', { n: lines.length, total })}
          </span>
          {ledger.hasNextPage && (
            <Button size="small" loading={ledger.isFetchingNextPage} onClick={() => void ledger.fetchNextPage()}>
              {t(filters.stuck ? 'ledger.more.stuck' : 'ledger.more')}
            </Button>
          )}
        </footer>
      )}
    </div>
  );
}

function Nothing({ filters }: { filters: LedgerFilters }) {
  const { t } = useLanguage();
  if (filters.stuck) return <Empty title={t('ledger.flowing.title')} text={t('ledger.flowing.text')} />;
  if (filters.text !== '') return <Empty title={t('ledger.empty.search')} text={t('ledger.empty.search.text')} />;
  return <Empty title={t('ledger.empty.title')} text={t('ledger.empty.text')} />;
}

function SiteChoice({ site, onSite }: { site: string | null; onSite: (site: string | null) => void }) {
  const { t, language } = useLanguage();
  const sites = useSites(true);
  return (
    <Select
      aria-label={t('ledger.site')}
      className="ledger-site"
      showSearch={{ optionFilterProp: 'label' }}
      value={site ?? ''}
      options={[
        { value: '', label: t('ledger.site.all') },
        ...(sites.data ?? []).map((one) => ({ value: one.code, label: siteName(language, one) })),
      ]}
      onChange={(chosen) => onSite(chosen === '' ? null : chosen)}
    />
  );
}

function useColumns(withSite: boolean): Column<LedgerLine>[] {
  const { t, language } = useLanguage();
  const now = useMinute();
  return [
    {
      key: 'patient',
      heading: t('ledger.column.patient'),
      width: '17%',
      cell: (line) => (
        <>
          <Link className="ledger-patient" to={`/ledger/${line.id}`}>
            <PatientName patient={line.patient} />
          </Link>{' '}
          <SexAge patient={line.patient} />
          <div className="quiet small">{line.patient.local_id ?? t('app.none')}</div>
          {withSite && <div className="quiet small">{siteName(language, line.site)}</div>}
        </>
      ),
    },
    {
      key: 'exam',
      heading: t('ledger.column.exam'),
      width: '17%',
      cell: (line) => (
        <>
          <ModalityMark lane={line.lane} modalities={line.study.modalities} />{' '}
          {line.study.description ?? t('worklist.noDescription')}{' '}
          {line.priority !== 'ROUTINE' && <PriorityMark priority={line.priority} />}
          <div className="quiet small">
            {[examTime(line, now), line.study.accession_number].filter((part) => part !== null).join(' · ')}
          </div>
        </>
      ),
    },
    { key: 'road', heading: t('ledger.column.road'), width: '25%', cell: (line) => <Road exam={line} /> },
    { key: 'return', heading: t('ledger.column.return'), cell: (line) => <WayBack line={line} now={now} /> },
    {
      key: 'stuck',
      heading: t('ledger.column.stuck'),
      width: '23%',
      cell: (line) => <Reasons reasons={line.stuck} />,
    },
  ];
}

/** Where the newest version is: at which destinations, opened by whom, and what was recalled. */
function WayBack({ line, now }: { line: LedgerLine; now: number }) {
  const { t } = useLanguage();
  if (line.report_version === null) return <span className="quiet">{t('portal.noReport')}</span>;
  return (
    <div className="ledger-back">
      {line.deliveries.map((delivery) => (
        <div key={delivery.id}>
          <DeliveryChip state={delivery.state} /> <span className="small">{delivery.destination}</span>
        </div>
      ))}
      <div className="small">
        {line.opened_by === null || line.steps.opened_at === null ? (
          <span className="quiet">{t('ledger.notOpened')}</span>
        ) : (
          t('ledger.opened', { who: line.opened_by, time: formatShortTime(line.steps.opened_at, now) })
        )}
      </div>
      {line.recalls_open > 0 && <div className="danger small">{t('ledger.recalls', { n: line.recalls_open })}</div>}
    </div>
  );
}
