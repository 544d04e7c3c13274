import type { ReactNode } from 'react';

import type { ExamDetail } from '../api/types';
import { Chip, type Tone } from '../design/Chip';
import { formatDateTime } from '../i18n/format';
import { isPlainKey } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';

type Report = ExamDetail['reports'][number];

/** Every report that was issued for an exam, the newest first: who signed, whether it stands, who opened it. */
export function ReportVersions({ reports }: { reports: readonly Report[] }) {
  const { t } = useLanguage();
  if (reports.length === 0) return null;
  return (
    <section aria-label={t('portal.versions')}>
      <h2>{t('portal.versions')}</h2>
      {reports.map((report) => (
        <dl key={report.version_id} className="portal-facts">
          <Fact name={t('final.version', { n: report.number })}>
            <Standing report={report} /> {formatDateTime(report.issued_at)}
          </Fact>
          <Fact name={t('review.writer')}>{report.writer}</Fact>
          {report.reviewer !== null && <Fact name={t('final.reviewer')}>{report.reviewer}</Fact>}
          {report.recall !== null && <Fact name={t('portal.recalled')}>{report.recall.reason}</Fact>}
          <Fact name={t('portal.column.report')}>
            {report.opened_at === null
              ? t('portal.notOpened')
              : t('portal.opened', { time: formatDateTime(report.opened_at) })}
          </Fact>
        </dl>
      ))}
    </section>
  );
}

const TONES: Record<string, Tone> = { preliminary: 'amber', final: 'green', amended: 'green', corrected: 'green' };

function Standing({ report }: { report: Report }) {
  const { t } = useLanguage();
  if (report.recall !== null) {
    return (
      <Chip tone={report.recall.kind === 'revoked' ? 'red' : 'slate'}>
        {t(`portal.recall.${report.recall.kind}.word`)}
      </Chip>
    );
  }
  const key = `portal.status.${report.status}`;
  return <Chip tone={TONES[report.status] ?? 'slate'}>{isPlainKey(key) ? t(key) : report.status}</Chip>;
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
