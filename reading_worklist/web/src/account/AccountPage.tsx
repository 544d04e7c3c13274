import { App, Button, Input } from 'antd';
import { type SubmitEvent, useId, useState } from 'react';

import { asProblem } from '../api/problem';
import { Chip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { type Column, Table } from '../design/Table';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';
import { siteName } from '../i18n/siteName';
import { browserOf } from './browser';
import { type OpenSession, useChangePassword, useEndSession, useOpenSessions } from './queries';
import './account.css';

/** Where one is signed in, and one's password. */
export function AccountPage() {
  const { t } = useLanguage();
  return (
    <div className="page account">
      <div className="page-head">
        <h1>{t('account.title')}</h1>
      </div>
      <section className="account-part">
        <h2>{t('account.password')}</h2>
        <p className="quiet">{t('account.password.rule')}</p>
        <PasswordForm />
      </section>
      <section className="account-part">
        <h2>{t('account.sessions')}</h2>
        <p className="quiet">{t('account.sessions.note')}</p>
        <Sessions />
      </section>
    </div>
  );
}

const NOTHING = { old: '', new: '', again: '' };
const FIELDS = ['old', 'new', 'again'] as const;

function PasswordForm() {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const change = useChangePassword();
  const [typed, setTyped] = useState(NOTHING);
  const [wrong, setWrong] = useState<'missing' | 'differ' | null>(null);
  const id = useId();
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const missing = FIELDS.some((field) => typed[field] === '');
    const fault = missing ? 'missing' : typed.new === typed.again ? null : 'differ';
    setWrong(fault);
    if (fault !== null || change.isPending) return;
    change.mutate(
      { old: typed.old, new: typed.new },
      {
        onSuccess: () => {
          setTyped(NOTHING);
          void message.success(t('account.password.saved'));
        },
      },
    );
  };
  const words = change.error === null ? null : wordsOf(language, asProblem(change.error));
  return (
    <form className="account-form" onSubmit={submit} noValidate>
      {FIELDS.map((field) => (
        <div key={field}>
          <label htmlFor={`${id}-${field}`}>{t(`account.password.${field}`)}</label>
          <Input.Password
            id={`${id}-${field}`}
            autoComplete={field === 'old' ? 'current-password' : 'new-password'}
            value={typed[field]}
            onChange={(event) => setTyped({ ...typed, [field]: event.target.value })}
          />
        </div>
      ))}
      <div role="alert" className="account-message">
        {wrong !== null && t(`account.password.${wrong}`)}
        {wrong === null && words !== null && `${words.title} ${words.remedy ?? ''}`}
      </div>
      <Button type="primary" htmlType="submit" loading={change.isPending}>
        {t('account.password.save')}
      </Button>
    </form>
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
