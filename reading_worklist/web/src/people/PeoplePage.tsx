import { PlusOutlined } from '@ant-design/icons';
import { Button, Segmented } from 'antd';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';

import { CaseDesk } from '../design/CaseDesk';
import { Chip } from '../design/Chip';
import { SearchField } from '../design/SearchField';
import { useShortcuts } from '../design/shortcuts';
import { useListFilter } from '../design/useListFilter';
import { formatClock } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { roleNames } from '../session/roleNames';
import { AddPersonDialog, type Secret, SecretDialog } from './dialogs';
import { PersonPanel } from './PersonPanel';
import { type Person, usePeople } from './queries';
import { chosen, FILTERS, lacksKey, rolesToday } from './words';
import '../rules/rules.css';
import './people.css';

/** The people of a consortium and what they may do, for their administrators. */
export function PeoplePage() {
  const { t } = useLanguage();
  const { id } = useParams();
  const navigate = useNavigate();
  const { text, filter, onSearch, onFilter, search } = useListFilter(FILTERS);
  const query = usePeople();
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState<Secret | null>(null);
  const editable = query.data?.editable === true;
  useShortcuts({ n: () => editable && setAdding(true) });
  const items = chosen(query.data?.people ?? [], text, filter);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('people.title')}</h1>
        <SearchField
          label={t('people.search')}
          placeholder={t('people.search.hint')}
          className="people-search"
          text={text}
          onSearch={onSearch}
        />
        <Segmented
          aria-label={t('people.filter')}
          value={filter}
          options={FILTERS.map((value) => ({ value, label: t(`people.filter.${value}`) }))}
          onChange={onFilter}
        />
        <span className="page-space" />
        {editable && (
          <Button type="primary" icon={<PlusOutlined />} onClick={() => setAdding(true)}>
            {t('people.add')}
          </Button>
        )}
      </div>
      {query.data?.editable === false && <div className="page-intro">{t('people.readOnly')}</div>}
      <CaseDesk
        id={id}
        query={{ ...query, data: query.data === undefined ? undefined : { items, total: items.length } }}
        label={t('people.list')}
        failed={t('people.failed')}
        empty={{ title: t('people.empty'), text: t('people.empty.text') }}
        choose={t('people.choose')}
        page={1}
        pageSize={Math.max(items.length, 1)}
        onPage={() => undefined}
        path={(one) => `/people/${one.id}${search}`}
        line={(one, selected) => <Line key={one.id} one={one} selected={selected} search={search} />}
      >
        {(chosenId) => (
          <PersonPanel
            key={chosenId}
            id={chosenId}
            editable={editable}
            places={query.data?.places ?? []}
            providers={query.data?.providers ?? []}
            onSecret={setSecret}
          />
        )}
      </CaseDesk>
      {adding && (
        <AddPersonDialog
          places={query.data?.places ?? []}
          onClose={() => setAdding(false)}
          onAdded={(made) => {
            setAdding(false);
            setSecret(made);
            void navigate(`/people/${made.person.id}${search}`);
          }}
        />
      )}
      {secret !== null && <SecretDialog secret={secret} onClose={() => setSecret(null)} />}
    </div>
  );
}

function Line({ one, selected, search }: { one: Person; selected: boolean; search: string }) {
  const { t, language } = useLanguage();
  const today = rolesToday(one);
  const places = new Map(
    today.map((role) => [
      role.organisation_code,
      siteName(language, { name: role.organisation_name, name_en: role.organisation_name_en }),
    ]),
  );
  return (
    <Link
      to={`/people/${one.id}${search}`}
      className="desk-line"
      {...(selected ? { 'aria-current': 'true' as const } : {})}
    >
      <span className="desk-line-head">
        <strong>{one.display_name}</strong>
        <span className="quiet">{one.login}</span>
      </span>
      <span className="quiet small">
        {today.length === 0
          ? t('people.noRole')
          : `${[...places.values()].join(t('app.listSeparator'))} · ${roleNames(language, [...new Set(today.map((role) => role.role))])}`}
      </span>
      <span className="desk-line-why">
        {!one.active && <Chip tone="red">{t('people.locked')}</Chip>}
        {one.waits_until !== null && (
          <Chip tone="amber">{t('people.waits', { time: formatClock(one.waits_until) })}</Chip>
        )}
        {one.one_time_password && <Chip tone="blue">{t('people.oneTime')}</Chip>}
        {lacksKey(one) && <Chip tone="amber">{t('people.keyMissing')}</Chip>}
      </span>
    </Link>
  );
}
