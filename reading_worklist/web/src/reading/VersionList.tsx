import { Button, Skeleton } from 'antd';
import { useState } from 'react';

import type { ReportVersion } from '../api/types';
import { Chip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { isPlainKey } from '../i18n/catalogue';
import { formatExactTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { useVersionVerification } from '../verification/queries';
import { Verdicts } from '../verification/Verdicts';

/** The versions of a report, the newest first. */
export function VersionList({ versions }: { versions: readonly ReportVersion[] }) {
  return (
    <div className="report-scroll">
      {versions.toReversed().map((version) => (
        <Version key={version.id} version={version} versions={versions} />
      ))}
    </div>
  );
}

function Version({ version, versions }: { version: ReportVersion; versions: readonly ReportVersion[] }) {
  const { t } = useLanguage();
  const { recall } = version;
  const follower = versions.find((each) => each.id === recall?.replaced_by);
  const statusKey = `final.status.${version.status}`;
  return (
    <article className="version">
      <h2>
        {t('final.version', { n: version.number })}{' '}
        <Chip tone={recall === null ? 'green' : 'slate'} hollow={recall !== null}>
          {isPlainKey(statusKey) ? t(statusKey) : version.status}
        </Chip>
        {recall !== null && (
          <Chip tone={recall.kind === 'supplemented' ? 'slate' : 'red'}>
            {recall.kind === 'revoked'
              ? t('version.revoked')
              : t(`version.${recall.kind}`, { n: follower?.number ?? 0 })}
          </Chip>
        )}
      </h2>
      <dl>
        <Row name={t('review.writer')} value={version.writer.display_name} />
        {version.reviewer !== null && <Row name={t('final.reviewer')} value={version.reviewer.display_name} />}
        <Row name={t('final.issued')} value={formatExactTime(version.issued_at)} />
        {recall !== null && recall.reason !== '' && <Row name={t('version.reason')} value={recall.reason} />}
        <Row name={t('verify.digest')} value={version.pdf_sha256} code />
      </dl>
      <p>
        {recall === null ? (
          <a href={`/api/reports/${version.id}/pdf`} target="_blank" rel="noreferrer">
            {t('version.document')}
          </a>
        ) : (
          <span className="quiet">{t('version.forAuditors')}</span>
        )}
      </p>
      <Signatures versionId={version.id} />
    </article>
  );
}

function Signatures({ versionId }: { versionId: string }) {
  const { t } = useLanguage();
  const [wanted, setWanted] = useState(false);
  const verification = useVersionVerification(versionId, wanted);
  if (!wanted) {
    return (
      <Button className="version-verify" onClick={() => setWanted(true)}>
        {t('verify.check')}
      </Button>
    );
  }
  if (verification.isError)
    return <ProblemNotice error={verification.error} onRetry={() => void verification.refetch()} />;
  return verification.data === undefined ? (
    <Skeleton active title={false} paragraph={{ rows: 3 }} />
  ) : (
    <Verdicts verification={verification.data} />
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
