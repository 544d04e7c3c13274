import { App, Button } from 'antd';
import { useState } from 'react';

import { browserOf } from '../account/browser';
import { Loading } from '../app/Loading';
import { Chip, type Tone } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { type Column, Table } from '../design/Table';
import { useRefusal } from '../design/useRefusal';
import { formatClock, formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { roleNames } from '../session/roleNames';
import { useSession } from '../session/session';
import { IdentityDialog, RoleDialog, type Secret } from './dialogs';
import {
  type Act,
  type HeldRole,
  type PersonDetail,
  type Place,
  useNewPassword,
  usePerson,
  usePersonAct,
} from './queries';
import { lacksKey, signs } from './words';

const STATE_TONES: Record<HeldRole['state'], Tone> = { holds: 'green', 'to-come': 'blue', ended: 'slate' };

interface PanelProps {
  id: string;
  /** Whether the asker changes people, or only helps them in. */
  editable: boolean;
  places: readonly Place[];
  providers: readonly string[];
  onSecret: (secret: Secret) => void;
}

/** One person: what is wrong, what can be done, roles with dates, sessions, identities elsewhere. */
export function PersonPanel({ id, editable, places, providers, onSecret }: PanelProps) {
  const found = usePerson(id);
  const { data: session } = useSession();
  if (found.isPending) return <Loading />;
  if (found.isError) return <ProblemNotice error={found.error} onRetry={() => void found.refetch()} />;
  const person = found.data;
  return (
    <Panel
      person={person}
      changes={editable && !person.elsewhere}
      oneself={session?.person.id === id}
      places={places}
      providers={providers}
      onSecret={onSecret}
    />
  );
}

interface Asked {
  title: string;
  text: string;
  ok: string;
  danger?: boolean;
  act: () => Promise<unknown>;
}

function Panel({
  person,
  changes,
  oneself,
  places,
  providers,
  onSecret,
}: Omit<PanelProps, 'id' | 'editable'> & { person: PersonDetail; changes: boolean; oneself: boolean }) {
  const { t, language } = useLanguage();
  const { message, modal } = App.useApp();
  const refused = useRefusal();
  const { mutateAsync } = usePersonAct(person.id);
  const newPassword = useNewPassword();
  const [giving, setGiving] = useState<HeldRole | 'new' | null>(null);
  const [registering, setRegistering] = useState(false);
  const act = async (what: Act, done: string = t('people.done')): Promise<void> => {
    try {
      await mutateAsync(what);
      void message.success(done);
    } catch (error) {
      refused(error);
    }
  };
  const ask = ({ title, text, ok, danger = true, act: onOk }: Asked): void => {
    modal.confirm({
      title,
      content: text,
      okText: ok,
      okButtonProps: { danger },
      cancelText: t('app.cancel'),
      onOk: () => onOk().catch(refused),
    });
  };
  const roleColumns: Column<HeldRole>[] = [
    {
      key: 'role',
      heading: t('people.role'),
      cell: (role) => (
        <>
          <span className="strong">{roleNames(language, [role.role])}</span>
          <div>{siteName(language, { name: role.organisation_name, name_en: role.organisation_name_en })}</div>
          {role.provider !== null && (
            <div className="quiet small">{t('people.byProvider', { name: role.provider })}</div>
          )}
        </>
      ),
    },
    {
      key: 'dates',
      heading: t('people.days'),
      width: 200,
      cell: (role) => t('people.dates', { from: role.valid_from, until: role.valid_until ?? t('people.open') }),
    },
    {
      key: 'state',
      heading: t('people.state'),
      width: 90,
      cell: (role) => (
        <Chip tone={STATE_TONES[role.state]} hollow={role.state === 'to-come'}>
          {t(`people.state.${role.state}`)}
        </Chip>
      ),
    },
    {
      key: 'action',
      heading: t('people.action'),
      width: 150,
      cell: (role) =>
        changes &&
        role.provider === null && (
          <span className="people-row-buttons">
            <Button size="small" onClick={() => setGiving(role)}>
              {t('people.changeDates')}
            </Button>
            {role.state !== 'ended' && (
              <Button
                size="small"
                onClick={() =>
                  ask({
                    title: t('people.endRole.title'),
                    text: t('people.endRole.text'),
                    ok: t('people.endRole'),
                    act: () =>
                      act(
                        { kind: 'end-role', role: { organisation: role.organisation_code, role: role.role } },
                        t('people.roleEnded'),
                      ),
                  })
                }
              >
                {t('people.endRole')}
              </Button>
            )}
          </span>
        ),
    },
  ];
  const sessionColumns: Column<PersonDetail['sessions'][number]>[] = [
    {
      key: 'where',
      heading: t('account.column.where'),
      cell: (one) => (
        <>
          <span className="strong">{browserOf(one.user_agent)}</span> <span className="quiet">{one.client}</span>{' '}
          {one.second_factor && <Chip tone="slate">{t('account.twoFactors')}</Chip>}
        </>
      ),
    },
    { key: 'since', heading: t('account.column.since'), width: 150, cell: (one) => formatDateTime(one.created_at) },
    { key: 'seen', heading: t('account.column.seen'), width: 150, cell: (one) => formatDateTime(one.last_seen_at) },
    {
      key: 'action',
      heading: t('people.action'),
      width: 90,
      cell: (one) => (
        <Button size="small" onClick={() => void act({ kind: 'end-session', session: one.id }, t('account.ended'))}>
          {t('account.end')}
        </Button>
      ),
    },
  ];
  return (
    <>
      <div className="people-head">
        <h2>{person.display_name}</h2>
        <span className="quiet">{person.login}</span>
        <span className="quiet small">
          {person.last_seen_at === null
            ? t('people.neverSeen')
            : t('people.seen', { time: formatDateTime(person.last_seen_at) })}
        </span>
      </div>
      <div className="people-chips">
        {!person.active && <Chip tone="red">{t('people.locked')}</Chip>}
        {person.waits_until !== null && (
          <Chip tone="amber">{t('people.waiting', { time: formatClock(person.waits_until) })}</Chip>
        )}
        {person.one_time_password && <Chip tone="blue">{t('people.oneTime')}</Chip>}
        <Chip tone={person.second_factor_since === null ? 'slate' : 'green'}>
          {t(person.second_factor_since === null ? 'people.noFactor' : 'people.factor')}
        </Chip>
        {person.signing_until !== null && (
          <Chip tone="green">{t('people.key', { date: person.signing_until.slice(0, 10) })}</Chip>
        )}
        {lacksKey(person) && <Chip tone="amber">{t('people.keyMissing')}</Chip>}
        {person.approved_until !== null && (
          <Chip tone="blue">{t('people.sign.approved', { date: formatDateTime(person.approved_until) })}</Chip>
        )}
      </div>
      {lacksKey(person) && person.approved_until === null && changes && (
        <p className="quiet people-note">
          {t(person.second_factor_since === null ? 'people.keyMissing.factor' : 'people.keyMissing.how')}
        </p>
      )}
      {person.elsewhere && <p className="quiet people-note">{t('people.elsewhere')}</p>}
      <div className="people-buttons">
        {person.waits_until !== null && (
          <Button type="primary" onClick={() => void act({ kind: 'lift-wait' }, t('people.waitLifted'))}>
            {t('people.liftWait')}
          </Button>
        )}
        {changes && !oneself && (
          <>
            {person.approved_until !== null && (
              <Button onClick={() => void act({ kind: 'withdraw-signing' }, t('people.sign.withdrawn'))}>
                {t('people.sign.withdraw')}
              </Button>
            )}
            {person.approved_until === null && person.second_factor_since !== null && signs(person) && (
              <Button
                type={lacksKey(person) ? 'primary' : 'default'}
                onClick={() =>
                  ask({
                    title: t('people.sign.title', { name: person.display_name }),
                    text: t('people.sign.text'),
                    ok: t('people.sign.approve'),
                    danger: false,
                    act: () => act({ kind: 'approve-signing' }),
                  })
                }
              >
                {t(lacksKey(person) ? 'people.sign.approve' : 'people.sign.again')}
              </Button>
            )}
            <Button
              onClick={() =>
                ask({
                  title: t('people.newPassword.title'),
                  text: t('people.newPassword.text'),
                  ok: t('people.newPassword'),
                  act: async () => onSecret(await newPassword.mutateAsync(person.id)),
                })
              }
            >
              {t('people.newPassword')}
            </Button>
            {person.second_factor_since !== null && (
              <Button
                onClick={() =>
                  ask({
                    title: t('people.resetFactor.title'),
                    text: t('people.resetFactor.text'),
                    ok: t('people.resetFactor'),
                    act: () => act({ kind: 'reset-factor' }),
                  })
                }
              >
                {t('people.resetFactor')}
              </Button>
            )}
            {person.active ? (
              <Button
                danger
                onClick={() =>
                  ask({
                    title: t('people.lock.title'),
                    text: t('people.lock.text'),
                    ok: t('people.lock'),
                    act: () => act({ kind: 'change', active: false }),
                  })
                }
              >
                {t('people.lock')}
              </Button>
            ) : (
              <Button type="primary" onClick={() => void act({ kind: 'change', active: true })}>
                {t('people.unlock')}
              </Button>
            )}
          </>
        )}
      </div>
      <section className="people-part">
        <div className="people-part-head">
          <h3>{t('people.roles')}</h3>
          {changes && <Button onClick={() => setGiving('new')}>{t('people.giveRole')}</Button>}
        </div>
        <Table
          label={t('people.roles')}
          columns={roleColumns}
          rows={person.roles}
          rowKey={(role) => `${role.organisation_code}/${role.role}`}
          plain={!changes}
        />
      </section>
      <section className="people-part">
        <div className="people-part-head">
          <h3>{t('people.sessions')}</h3>
          {person.sessions.length > 1 && (
            <Button onClick={() => void act({ kind: 'end-all' })}>{t('people.endAll')}</Button>
          )}
        </div>
        {person.sessions.length === 0 ? (
          <p className="quiet">{t('people.sessions.none')}</p>
        ) : (
          <Table
            label={t('people.sessions')}
            columns={sessionColumns}
            rows={person.sessions}
            rowKey={(one) => one.id}
          />
        )}
      </section>
      {(providers.length > 0 || person.identities.length > 0) && (
        <section className="people-part">
          <div className="people-part-head">
            <h3>{t('people.identities')}</h3>
            {changes && providers.length > person.identities.length && (
              <Button onClick={() => setRegistering(true)}>{t('people.identity.add')}</Button>
            )}
          </div>
          {person.identities.length === 0 && <p className="quiet">{t('people.identities.none')}</p>}
          {person.identities.map((one) => (
            <p key={one.id} className="people-chips">
              <span className="strong">{one.provider}</span>
              <span>{one.email ?? one.subject}</span>
              <span className="quiet small">
                {one.linked_at === null
                  ? t('people.identity.waiting')
                  : t('people.identity.linked', { time: formatDateTime(one.linked_at) })}
              </span>
              {changes && (
                <Button size="small" onClick={() => void act({ kind: 'remove-identity', identity: one.id })}>
                  {t('people.identity.remove')}
                </Button>
              )}
            </p>
          ))}
        </section>
      )}
      {giving !== null && (
        <RoleDialog
          places={places}
          held={giving === 'new' ? null : giving}
          onSave={async (role) => {
            await mutateAsync({ kind: 'give-role', role });
            void message.success(t('people.roleGiven'));
          }}
          onClose={() => setGiving(null)}
        />
      )}
      {registering && (
        <IdentityDialog
          providers={providers}
          onSave={(identity) => mutateAsync({ kind: 'register', identity })}
          onClose={() => setRegistering(false)}
        />
      )}
    </>
  );
}
