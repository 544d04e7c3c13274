import type { SiteUsage } from '../api/types';
import { Empty, ProblemNotice } from '../design/Notice';
import { type Column, Table } from '../design/Table';
import type { PlainKey } from '../i18n/catalogue';
import { formatDateTime, formatSize } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteOf } from '../i18n/siteName';
import { useUsage, useVerification } from './queries';

const SHOWN_MODALITIES = 4;

/** What each site keeps, the largest first. */
export function UsageTab() {
  const { t } = useLanguage();
  const usage = useUsage();
  const verification = useVerification();
  const sites = (usage.data?.sites ?? []).toSorted((one, other) => other.bytes - one.bytes);
  const total = sites.reduce((sum, site) => sum + site.bytes, 0);
  const columns = useColumns(total);
  const verified = verification.data ?? null;
  const refreshedAt = usage.data?.refreshed_at ?? null;
  return (
    <>
      <p className="page-intro">
        <span>
          {refreshedAt === null ? t('usage.notYet') : t('usage.refreshed', { time: formatDateTime(refreshedAt) })}
        </span>
        {verification.isSuccess && (
          <span className={verified !== null && verified.findings > 0 ? 'danger' : undefined}>
            {verified === null
              ? t('usage.neverVerified')
              : t('usage.verified', {
                  time: formatDateTime(verified.ended_at),
                  n: verified.objects,
                  findings: verified.findings,
                })}
          </span>
        )}
      </p>
      {usage.isError && <Failed error={usage.error} onRetry={() => void usage.refetch()} />}
      {usage.data?.sites.length === 0 ? (
        <div className="page-empty">
          <Empty title={t('usage.empty.title')} text={t('usage.empty.text')} />
        </div>
      ) : (
        <Table
          label={t('usage.table')}
          columns={columns}
          rows={usage.data === undefined ? (usage.isError ? [] : null) : sites}
          rowKey={(site) => site.site_code}
        />
      )}
    </>
  );
}

export function Failed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useLanguage();
  return (
    <div className="page-problem">
      <ProblemNotice heading={t('keeping.failed')} error={error} onRetry={onRetry} />
    </div>
  );
}

function useColumns(total: number): Column<SiteUsage>[] {
  const { t, language } = useLanguage();
  return [
    {
      key: 'site',
      heading: t('keeping.column.site'),
      width: '16%',
      cell: (site) => (
        <>
          <span className="strong">{siteOf(language, site)}</span>
          <div className="quiet small">{site.site_code}</div>
        </>
      ),
    },
    { key: 'bytes', heading: t('usage.column.bytes'), width: 84, cell: (site) => formatSize(language, site.bytes) },
    {
      key: 'kept',
      heading: t('usage.column.kept'),
      width: 150,
      cell: (site) => <Kept site={site} />,
    },
    {
      key: 'share',
      heading: t('usage.column.share'),
      width: 132,
      cell: (site) => <Share part={total === 0 ? 0 : site.bytes / total} />,
    },
    {
      key: 'studies',
      heading: t('usage.column.studies'),
      width: 68,
      cell: (site) => site.studies.toLocaleString(language),
    },
    {
      key: 'instances',
      heading: t('usage.column.instances'),
      width: 76,
      cell: (site) => site.instances.toLocaleString(language),
    },
    {
      key: 'modalities',
      heading: t('usage.column.modalities'),
      cell: (site) => (
        <span className="quiet">
          {site.by_modality
            .toSorted((one, other) => other.bytes - one.bytes)
            .slice(0, SHOWN_MODALITIES)
            .map(({ modality, bytes }) =>
              t('usage.modality', {
                modality: modality === '' ? t('usage.other') : modality,
                size: formatSize(language, bytes),
              }),
            )
            .join(' · ')}
        </span>
      ),
    },
    {
      key: 'quarantine',
      heading: t('usage.column.quarantine'),
      width: 110,
      cell: (site) =>
        site.quarantined_objects === 0 ? (
          <span className="quiet">{t('app.none')}</span>
        ) : (
          t('usage.quarantined', {
            n: site.quarantined_objects,
            size: formatSize(language, site.quarantined_bytes),
          })
        ),
    },
  ];
}

/** Every object of a site, those beside the instances too; by kind where the pointer rests. */
function Kept({ site }: { site: SiteUsage }) {
  const { t, language } = useLanguage();
  if (site.counted_at === null) {
    return <span className="quiet">{t('usage.notVerified')}</span>;
  }
  const kinds = site.by_kind.map(({ kind, bytes }) =>
    t('usage.modality', { modality: t(KINDS[kind] ?? 'usage.other'), size: formatSize(language, bytes) }),
  );
  const total = site.by_kind.reduce((sum, { bytes }) => sum + bytes, 0);
  return (
    <>
      <span>{formatSize(language, total)}</span>
      <div className="quiet small">{kinds.join(' · ')}</div>
    </>
  );
}

const KINDS: Record<string, PlainKey | undefined> = {
  instances: 'usage.kind.instances',
  quarantine: 'usage.kind.quarantine',
  ecg_files: 'usage.kind.ecgFiles',
  reports: 'usage.kind.reports',
  prepared: 'usage.kind.prepared',
};

function Share({ part }: { part: number }) {
  const { t } = useLanguage();
  return (
    <span className="share">
      <span className="share-bar" aria-hidden="true">
        <span style={{ width: `${part * 100}%` }} />
      </span>
      {t('usage.share', { n: Math.round(part * 100) })}
    </span>
  );
}
