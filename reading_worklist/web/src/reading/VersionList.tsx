import type { ReportVersion } from '../api/types';
import { Chip } from '../design/Chip';
import { isPlainKey } from '../i18n/catalogue';
import { formatExactTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';

/** The versions of a report, the newest first. */
export function VersionList({ versions }: { versions: readonly ReportVersion[] }) {
  const { t } = useLanguage();
  return (
    <div className="report-scroll">
      {versions.toReversed().map((version) => {
        const statusKey = `final.status.${version.status}`;
        return (
          <article key={version.id} className="version">
            <h3>
              {t('final.version', { n: version.number })} <Chip tone="green">{isPlainKey(statusKey) ? t(statusKey) : version.status}</Chip>
            </h3>
            <dl>
              <Row name={t('review.writer')} value={version.writer.display_name} />
              <Row name={t('final.reviewer')} value={version.reviewer.display_name} />
              <Row name={t('final.issued')} value={formatExactTime(version.issued_at)} />
              <Row name={t('final.digest')} value={version.pdf_sha256} code />
            </dl>
          </article>
        );
      })}
    </div>
  );
}

function Row({ name, value, code = false }: { name: string; value: string; code?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{code ? <code>{value}</code> : value}</dd>
    </div>
  );
}
