import { App, Button } from 'antd';

import { Chip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { type Column, Table } from '../design/Table';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useSession } from '../session/session';
import { browserOf } from './browser';
import { PasswordForm } from './PasswordForm';
import { type OpenSession, useAccountRules, useEndSession, useOpenSessions } from './queries';
import { SecondFactorPart } from './SecondFactor';
import { SigningKeyPart } from './SigningKey';
import './account.css';

/** One's second factor and password, and where one is signed in. */
export function AccountPage() {
  const { t } = useLanguage();
  const session = useSession();
  const rules = useAccountRules();
  return (
    <div className="page account">
      <div className="page-head">
        <h1>{t('account.title')}</h1>
      </div>
      <section className="account-part">
        <h2>{t('account.factor')}</h2>
        <p className="quiet">{t('account.factor.note')}</p>
        <SecondFactorPart />
      </section>
      <SigningKeyPart />
      {(session.data?.provider ?? null) === null && (
        <section className="account-part">
          <h2>{t('account.password')}</h2>
          <p className="quiet">{t('account.password.rule', { n: rules.data?.shortest ?? 10 })}</p>
          <PasswordForm />
        </section>
      )}
      <section className="account-part">
        <h2>{t('account.sessions')}</h2>
        <p className="quiet">{t('account.sessions.note')}</p>
        <Sessions />
      </section>
    </div>
  );
}

function Sessions() {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const found = useOpenSessions();
  const end = useEndSession();
  const columns: Column<OpenSession>[] = [
    {
      key: 'where',
      heading: t('account.column.where'),
      cell: (one) => (
        <>
          <span className="strong">{browserOf(one.user_agent)}</span> <span className="quiet">{one.client}</span>{' '}
          {one.provider !== null && <span className="quiet">{t('account.via', { name: one.provider })}</span>}{' '}
          {one.second_factor && <Chip tone="slate">{t('account.twoFactors')}</Chip>}{' '}
          {one.own && <Chip tone="green">{t('account.own')}</Chip>}
        </>
      ),
    },
    {
      key: 'organisation',
      heading: t('account.column.organisation'),
      cell: (one) => siteName(language, { name: one.organisation_name, name_en: one.organisation_name_en }),
    },
    { key: 'since', heading: t('account.column.since'), width: 160, cell: (one) => formatDateTime(one.created_at) },
    { key: 'seen', heading: t('account.column.seen'), width: 160, cell: (one) => formatDateTime(one.last_seen_at) },
    {
      key: 'action',
      heading: t('account.column.action'),
      width: 110,
      cell: (one) =>
        !one.own && (
          <Button
            size="small"
            disabled={end.isPending}
            onClick={() => end.mutate(one.id, { onSuccess: () => void message.success(t('account.ended')) })}
          >
            {t('account.end')}
          </Button>
        ),
    },
  ];
  const error = found.error ?? end.error;
  return (
    <>
      {error !== null && (
        <ProblemNotice heading={t('account.sessions.failed')} error={error} onRetry={() => void found.refetch()} />
      )}
      <Table
        label={t('account.sessions')}
        columns={columns}
        rows={found.data ?? (found.isError ? [] : null)}
        rowKey={(one) => one.id}
      />
    </>
  );
}
