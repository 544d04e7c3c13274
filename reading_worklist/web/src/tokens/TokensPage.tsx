import { PlusOutlined } from '@ant-design/icons';
import { Button, Segmented } from 'antd';
import { useState } from 'react';

import { Chip, type Tone } from '../design/Chip';
import { QueryTable } from '../design/QueryTable';
import { SearchField } from '../design/SearchField';
import { useShortcuts } from '../design/shortcuts';
import { useListFilter } from '../design/useListFilter';
import type { Column } from '../design/Table';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteOf } from '../i18n/siteName';
import { chosen, FILTERS, isTaken } from './choosing';
import { MakeDialog, RevokeDialog, RotateDialog, SecretDialog } from './dialogs';
import { type MadeToken, type Token, useTokens } from './queries';
import '../rules/rules.css';
import './tokens.css';

type Asked = { what: 'make' } | { what: 'rotate' | 'revoke'; token: Token };

/** What the machines of every site show to be let in, for who looks after them. */
export function TokensPage() {
  const { t } = useLanguage();
  const { text, filter, onSearch, onFilter } = useListFilter(FILTERS);
  const query = useTokens();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [made, setMade] = useState<MadeToken | null>(null);
  const editable = query.data?.editable === true;
  useShortcuts({ n: () => editable && setAsked({ what: 'make' }) });
  const columns = useColumns(editable, setAsked);
  const rows = query.data === undefined ? undefined : chosen(query.data.tokens, text, filter);
  const close = (): void => setAsked(null);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('tokens.title')}</h1>
        <SearchField
          label={t('tokens.search')}
          placeholder={t('tokens.search.hint')}
          className="tokens-search"
          text={text}
          onSearch={onSearch}
        />
        <Segmented
          aria-label={t('tokens.filter')}
          value={filter}
          options={FILTERS.map((value) => ({ value, label: t(`tokens.filter.${value}`) }))}
          onChange={onFilter}
        />
        <span className="page-space" />
        {editable && (
          <Button type="primary" icon={<PlusOutlined />} onClick={() => setAsked({ what: 'make' })}>
            {t('tokens.make')}
          </Button>
        )}
      </div>
      <p className="page-intro">{t(query.data?.editable === false ? 'tokens.readOnly' : 'tokens.intro')}</p>
      <QueryTable
        query={{ ...query, data: rows }}
        failed={t('tokens.failed')}
        empty={{ title: t('tokens.empty.title'), text: t('tokens.empty.text') }}
        label={t('tokens.table')}
        columns={columns}
        rowKey={(one) => one.id}
      />
      {asked?.what === 'make' && <MakeDialog sites={query.data?.sites ?? []} onClose={close} onMade={setMade} />}
      {asked?.what === 'rotate' && <RotateDialog token={asked.token} onClose={close} onMade={setMade} />}
      {asked?.what === 'revoke' && <RevokeDialog token={asked.token} onClose={close} />}
      {made !== null && <SecretDialog made={made} onClose={() => setMade(null)} />}
    </div>
  );
}

const TONES: Record<Token['state'], Tone> = {
  taken: 'green',
  replaced: 'blue',
  over: 'slate',
  revoked: 'red',
  off: 'slate',
};

function useColumns(editable: boolean, onAsk: (asked: Asked) => void): Column<Token>[] {
  const { t, language } = useLanguage();
  return [
    {
      key: 'machine',
      heading: t('tokens.column.machine'),
      cell: (one) => (
        <>
          <span className="strong">{one.name}</span>
          <div className="quiet small">
            {siteOf(language, one)} · {one.device ?? t('tokens.software')}
          </div>
        </>
      ),
    },
    {
      key: 'scope',
      heading: t('tokens.column.scope'),
      width: '16%',
      cell: (one) => (
        <>
          {t(`tokens.scope.${one.scope}`)}
          {one.proof !== 'bearer' && <div className="quiet small">{t(`tokens.proof.${one.proof}`)}</div>}
        </>
      ),
    },
    {
      key: 'made',
      heading: t('tokens.column.made'),
      width: 136,
      cell: (one) => (
        <>
          {formatDateTime(one.made_at)}
          <div className="quiet small">{one.made_by ?? t('tokens.commandLine')}</div>
        </>
      ),
    },
    {
      key: 'used',
      heading: t('tokens.column.used'),
      width: 136,
      cell: (one) =>
        one.last_used_at === null ? (
          <span className="quiet">{t('tokens.never')}</span>
        ) : (
          formatDateTime(one.last_used_at)
        ),
    },
    {
      key: 'until',
      heading: t('tokens.column.until'),
      width: 136,
      cell: (one) => (one.expires_at === null ? t('tokens.endless') : formatDateTime(one.expires_at)),
    },
    {
      key: 'state',
      heading: t('tokens.column.state'),
      width: '13%',
      cell: (one) => (
        <div className="tokens-chips">
          <Chip tone={TONES[one.state]} hollow={one.state === 'over' || one.state === 'off'}>
            {t(`tokens.state.${one.state}`)}
          </Chip>
          {one.concerns.map((concern) => (
            <Chip key={concern} tone="amber">
              {t(`tokens.concern.${concern}`)}
            </Chip>
          ))}
          {one.revoked_reason !== '' && (
            <span className="quiet small">{t('tokens.because', { reason: one.revoked_reason })}</span>
          )}
        </div>
      ),
    },
    {
      key: 'act',
      heading: t('tokens.column.act'),
      width: editable ? 154 : 90,
      cell: (one) => (
        <div className="tokens-buttons">
          {editable && one.state !== 'revoked' && one.state !== 'replaced' && (
            <Button size="small" onClick={() => onAsk({ what: 'rotate', token: one })}>
              {t('tokens.rotate')}
            </Button>
          )}
          {isTaken(one) && (
            <Button size="small" danger onClick={() => onAsk({ what: 'revoke', token: one })}>
              {t('tokens.revoke')}
            </Button>
          )}
        </div>
      ),
    },
  ];
}
