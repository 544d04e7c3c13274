import { ArrowLeftOutlined } from '@ant-design/icons';
import { App, Button, Skeleton } from 'antd';
import { useState } from 'react';
import { useNavigate } from 'react-router';

import type { QuarantineDetail, StoredVersion } from '../api/types';
import { Chip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { ReasonDialog } from '../design/ReasonDialog';
import { isPlainKey } from '../i18n/catalogue';
import { formatDateTime, formatSize } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteOf } from '../i18n/siteName';
import { type QuarantineAction, useQuarantined, useQuarantineAct } from './queries';
import '../design/table.css';
import { attributeWords } from './attributeWords';
import './quarantine.css';

/** One object that could not be filed, beside what is filed, and the decision about it. */
export function QuarantineEntry({ id }: { id: string }) {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const entry = useQuarantined(id);
  return (
    <div className="page">
      <div className="page-head">
        <Button
          type="text"
          icon={<ArrowLeftOutlined />}
          aria-label={t('quarantine.back')}
          onClick={() => void navigate('/quarantine')}
        />
        <h1>{t('quarantine.title')}</h1>
        {entry.data !== undefined && <Reason detail={entry.data} />}
      </div>
      <div className="quarantine-entry">
        {entry.isError && <ProblemNotice error={entry.error} onRetry={() => void entry.refetch()} />}
        {entry.isPending && <Skeleton active paragraph={{ rows: 8 }} />}
        {entry.data !== undefined && <Entry detail={entry.data} />}
      </div>
    </div>
  );
}

function Reason({ detail }: { detail: QuarantineDetail }) {
  const { t, language } = useLanguage();
  const key = `quarantine.reason.${detail.reason}`;
  return (
    <>
      <span className="strong">{isPlainKey(key) ? t(key) : detail.reason}</span>
      <span className="quiet">{[siteOf(language, detail), detail.calling_ae_title].filter(Boolean).join(' · ')}</span>
      <span className="quiet small">{detail.sop_instance_uid}</span>
    </>
  );
}

function Entry({ detail }: { detail: QuarantineDetail }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync } = useQuarantineAct(detail.id);
  const [asked, setAsked] = useState<QuarantineAction | null>(null);
  return (
    <>
      {detail.purged_at !== null && <p className="quiet">{t('quarantine.purged')}</p>}
      <Facts detail={detail} />
      {detail.same_pixels !== null && (
        <p>
          <Chip tone={detail.same_pixels ? 'blue' : 'amber'}>
            {t(detail.same_pixels ? 'quarantine.samePixels' : 'quarantine.otherPixels')}
          </Chip>
        </p>
      )}
      {detail.filed !== null && <Differences detail={detail} />}
      <div className="quarantine-acts">
        {detail.actions.map((action) => (
          <Button key={action} danger={action === 'replace'} onClick={() => setAsked(action)}>
            {t(`quarantine.act.${action}`)}
          </Button>
        ))}
        {detail.rendered_path !== null && (
          <a href={detail.rendered_path} target="_blank" rel="noreferrer">
            {t('quarantine.lookFiled')}
          </a>
        )}
      </div>
      {detail.decisions.length > 0 && (
        <section aria-label={t('quarantine.decisions')}>
          <h2>{t('quarantine.decisions')}</h2>
          <ul className="quarantine-decisions">
            {detail.decisions.map((decision) => (
              <li key={decision.decided_at}>
                <strong>{t(`quarantine.act.${decision.action}`)}</strong>{' '}
                <span className="quiet">
                  {t('identity.by', { name: decision.decided_by, time: formatDateTime(decision.decided_at) })}
                </span>
                <div>{decision.reason}</div>
              </li>
            ))}
          </ul>
        </section>
      )}
      {asked !== null && (
        <ReasonDialog
          title={t(`quarantine.act.${asked}`)}
          confirm={t(`quarantine.act.${asked}`)}
          danger={asked === 'replace'}
          onConfirm={async (reason) => {
            await mutateAsync({ action: asked, reason });
            void message.success(t(`quarantine.done.${asked}`));
          }}
          onClose={() => setAsked(null)}
        >
          <p>{t(`quarantine.explain.${asked}`)}</p>
        </ReasonDialog>
      )}
    </>
  );
}

/** What each version is: when and whence it came, whose it says to be, what image it holds. */
function Facts({ detail }: { detail: QuarantineDetail }) {
  const { t, language } = useLanguage();
  const { filed, newcomer } = detail;
  const shown = (value: string | null): string => (value === null || value === '' ? t('app.none') : value);
  if (newcomer === null) return <UnreadFacts detail={detail} />;
  const rows = [
    {
      name: t('quarantine.fact.received'),
      telling: false,
      of: (one: StoredVersion) => formatDateTime(one.received_at),
    },
    { name: t('quarantine.fact.device'), telling: false, of: (one: StoredVersion) => one.device_name },
    {
      name: t('quarantine.fact.patient'),
      telling: true,
      of: (one: StoredVersion) =>
        [one.patient_name, one.patient_latin_name, one.patient_id].filter(Boolean).join(' · '),
    },
    {
      name: t('quarantine.fact.series'),
      telling: true,
      of: (one: StoredVersion) => one.series_description ?? one.series_instance_uid,
    },
    {
      name: t('quarantine.fact.image'),
      telling: true,
      of: (one: StoredVersion) =>
        one.rows === null || one.columns === null
          ? null
          : t('quarantine.frames', { columns: one.columns, rows: one.rows, n: one.number_of_frames ?? 1 }),
    },
    { name: t('quarantine.fact.syntax'), telling: true, of: (one: StoredVersion) => one.transfer_syntax_uid },
    { name: t('quarantine.fact.size'), telling: false, of: (one: StoredVersion) => formatSize(language, one.size) },
    { name: t('quarantine.fact.digest'), telling: false, of: (one: StoredVersion) => one.sha256.slice(0, 16) },
  ];
  return (
    <>
      <table className="table quarantine-facts" aria-label={t('quarantine.compare')}>
        <thead>
          <tr>
            <th scope="col" aria-label={t('quarantine.column.attribute')} />
            <th scope="col">{t('quarantine.side.filed')}</th>
            <th scope="col">{t('quarantine.side.newcomer')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, of, telling }) => (
            <tr
              key={name}
              className={telling && filed !== null && of(filed) !== of(newcomer) ? 'quarantine-differs' : undefined}
            >
              <th scope="row">{name}</th>
              <td>{filed === null ? t('app.none') : shown(of(filed))}</td>
              <td>{shown(of(newcomer))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {newcomer.unreadable !== '' && (
        <p className="danger">{t('quarantine.unreadable', { why: newcomer.unreadable })}</p>
      )}
      {filed === null && <p className="quiet">{t('quarantine.nothingFiled')}</p>}
    </>
  );
}

function UnreadFacts({ detail }: { detail: QuarantineDetail }) {
  const { t } = useLanguage();
  const { expected, found, remedy } = detail.detail;
  return (
    <dl className="quarantine-detail">
      {[
        [t('problem.expected'), expected],
        [t('problem.found'), found],
        [t('problem.remedy'), remedy],
      ].map(
        ([name, value]) =>
          value !== undefined && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

function Differences({ detail }: { detail: QuarantineDetail }) {
  const { t } = useLanguage();
  if (detail.differences.length === 0) return <p className="quiet">{t('quarantine.noDifferences')}</p>;
  return (
    <>
      <h2>{t('quarantine.differences', { n: detail.differences.length })}</h2>
      <table className="table quarantine-facts">
        <thead>
          <tr>
            <th scope="col">{t('quarantine.column.attribute')}</th>
            <th scope="col">{t('quarantine.side.filed')}</th>
            <th scope="col">{t('quarantine.side.newcomer')}</th>
          </tr>
        </thead>
        <tbody>
          {detail.differences.map((difference) => (
            <tr key={difference.tag}>
              <th scope="row">
                {difference.keyword} <span className="quiet small">{difference.tag}</span>
              </th>
              <td>{attributeWords(difference.filed) ?? t('app.none')}</td>
              <td>{attributeWords(difference.newcomer) ?? t('app.none')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
