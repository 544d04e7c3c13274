import { Button, Input, Select } from 'antd';
import { type SubmitEvent, useState } from 'react';
import { Link, useSearchParams } from 'react-router';

import { Empty, ProblemNotice } from '../design/Notice';
import { type Column, Table } from '../design/Table';
import { isPlainKey, type PlainKey } from '../i18n/catalogue';
import { audit } from '../i18n/catalogue/audit';
import { formatDateTime, formatExactTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { EmergencyReviews } from './EmergencyReviews';
import { type Filter, filterOf, parametersOf } from './filter';
import { type AuditEntry, useAudit, useSeal } from './queries';
import './audit.css';

const PREFIX = 'audit.subject.';
const SUBJECTS = Object.keys(audit).flatMap((key) => (key.startsWith(PREFIX) ? [key.slice(PREFIX.length)] : []));
const SEAL_SHOWN = 16;

/** The audit trail, searched by who, what and when. */
export function AuditPage() {
  const { t } = useLanguage();
  const [parameters, setParameters] = useSearchParams();
  const filter = filterOf(parameters);
  const found = useAudit(filter);
  const columns = useColumns();
  const entries = found.data?.pages.flatMap((page) => page.entries);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('audit.title')}</h1>
        {/* A new search begins with what its address says. */}
        <SearchForm
          key={parameters.toString()}
          filter={filter}
          onSearch={(asked) => setParameters(parametersOf(asked))}
        />
      </div>
      <p className="page-intro">
        <span>{t('audit.intro')}</span>
        <Seal />
      </p>
      <EmergencyReviews />
      {found.isError && (
        <div className="page-problem">
          <ProblemNotice heading={t('audit.failed')} error={found.error} onRetry={() => void found.refetch()} />
        </div>
      )}
      {entries?.length === 0 ? (
        <div className="page-empty">
          <Empty title={t('audit.empty.title')} text={t('audit.empty.text')} />
        </div>
      ) : (
        <div className="audit-list">
          <Table
            label={t('audit.table')}
            columns={columns}
            rows={entries ?? (found.isError ? [] : null)}
            rowKey={(entry) => String(entry.id)}
            plain
          />
          {entries !== undefined && (
            <p className="audit-more">
              {found.hasNextPage ? (
                <Button loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
                  {t('audit.more')}
                </Button>
              ) : (
                t('audit.end')
              )}
            </p>
          )}
        </div>
      )}
    </div>
  );
}

function Seal() {
  const { t } = useLanguage();
  const { data, isSuccess } = useSeal();
  if (!isSuccess) return null;
  if (data === null) return <span>{t('audit.notSealed')}</span>;
  const words = { time: formatDateTime(data.sealed_at), n: data.to_id };
  return <span title={data.seal}>{t('audit.sealed', { ...words, seal: data.seal.slice(0, SEAL_SHOWN) })}</span>;
}

function SearchForm({ filter, onSearch }: { filter: Filter; onSearch: (filter: Filter) => void }) {
  const { t } = useLanguage();
  const [asked, setAsked] = useState(filter);
  const change = (part: Partial<Filter>) => setAsked({ ...asked, ...part });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSearch(asked);
  };
  return (
    <form className="audit-search" role="search" onSubmit={submit}>
      <Select
        aria-label={t('audit.filter.subject')}
        value={asked.subject}
        showSearch={{ optionFilterProp: 'label' }}
        options={[
          { value: '', label: t('audit.filter.all') },
          ...SUBJECTS.map((subject) => ({ value: subject, label: t(`${PREFIX}${subject}` as PlainKey) })),
        ]}
        onChange={(subject) => change({ subject })}
        className="audit-subject"
      />
      <Input
        aria-label={t('audit.filter.login')}
        placeholder={t('audit.filter.login')}
        allowClear
        value={asked.login}
        onChange={(event) => change({ login: event.target.value })}
        className="audit-login"
      />
      <Input
        aria-label={t('audit.filter.object')}
        placeholder={t('audit.filter.object')}
        allowClear
        value={asked.object}
        onChange={(event) => change({ object: event.target.value })}
        className="audit-object"
      />
      <Input
        type="date"
        aria-label={t('audit.filter.since')}
        prefix={<span className="quiet">{t('audit.filter.since')}</span>}
        value={asked.since}
        onChange={(event) => change({ since: event.target.value })}
        className="audit-day"
      />
      <Input
        type="date"
        aria-label={t('audit.filter.until')}
        prefix={<span className="quiet">{t('audit.filter.until')}</span>}
        value={asked.until}
        onChange={(event) => change({ until: event.target.value })}
        className="audit-day"
      />
      <Button type="primary" htmlType="submit">
        {t('audit.search')}
      </Button>
    </form>
  );
}

function useColumns(): Column<AuditEntry>[] {
  const { t } = useLanguage();
  return [
    { key: 'at', heading: t('audit.column.at'), width: 150, cell: (entry) => formatExactTime(entry.at) },
    {
      key: 'who',
      heading: t('audit.column.who'),
      width: 150,
      cell: ({ person }) =>
        person === null ? (
          <span className="quiet">{t('audit.machine')}</span>
        ) : (
          <>
            {person.display_name} <span className="quiet">{person.login}</span>
          </>
        ),
    },
    { key: 'organisation', heading: t('audit.column.organisation'), width: 76, cell: (entry) => entry.organisation },
    {
      key: 'act',
      heading: t('audit.column.act'),
      width: 190,
      cell: (entry) => <Act action={entry.action} />,
    },
    {
      key: 'object',
      heading: t('audit.column.object'),
      width: 140,
      cell: (entry) => (
        <Link
          className="audit-id"
          title={t('audit.ofObject', { object: `${entry.subject_kind} ${entry.subject_id}` })}
          to={{ search: new URLSearchParams({ object: entry.subject_id }).toString() }}
        >
          {entry.subject_id}
        </Link>
      ),
    },
    { key: 'client', heading: t('audit.column.client'), width: 110, cell: (entry) => entry.client },
    {
      key: 'detail',
      heading: t('audit.column.detail'),
      cell: (entry) => (
        <span className="audit-detail" title={factsOf(entry.detail)}>
          {factsOf(entry.detail)}
        </span>
      ),
    },
  ];
}

function Act({ action }: { action: string }) {
  const { t } = useLanguage();
  const [subject = '', verb = ''] = action.split(':');
  const key = `${PREFIX}${subject}`;
  return (
    <>
      {isPlainKey(key) ? t(key) : subject} <code className="quiet">{verb}</code>
    </>
  );
}

function factsOf(detail: Record<string, unknown>): string {
  return Object.entries(detail)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('; ');
}
