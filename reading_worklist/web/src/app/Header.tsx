import {
  DownOutlined,
  LogoutOutlined,
  MoonOutlined,
  SettingOutlined,
  SunOutlined,
  UserOutlined,
} from '@ant-design/icons';
import { App, Button, Dropdown, Tooltip } from 'antd';
import { NavLink, useNavigate } from 'react-router';

import type { Session } from '../api/types';
import { useAppearance } from '../design/appearance';
import { LanguageSwitch } from '../design/LanguageSwitch';
import { Mark } from '../design/Mark';
import { useRefusal } from '../design/useRefusal';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { roleNames } from '../session/roleNames';
import { mustChoose, pagesOf } from '../session/roles';
import { useChooseOrganisation, useSignOut } from '../session/session';
import { LiveDot } from './LiveDot';
import { Navigation } from './Navigation';

export function Header({ session }: { session: Session }) {
  const { t } = useLanguage();
  return (
    <header className="header">
      <NavLink to="/" className="header-brand" aria-label={t('app.name')}>
        <Mark size={26} />
        <span className="header-name">{t('app.name')}</span>
      </NavLink>
      <Navigation pages={pagesOf(session)} />
      <LiveDot />
      <Organisation session={session} />
      <LanguageSwitch />
      <AppearanceSwitch />
      <PersonMenu session={session} />
    </header>
  );
}

/** For whom one acts; a menu for who could act for others. */
function Organisation({ session }: { session: Session }) {
  const { t, language } = useLanguage();
  const navigate = useNavigate();
  const { message } = App.useApp();
  const refused = useRefusal();
  const choose = useChooseOrganisation();
  const name = siteName(language, session.organisation);
  if (!mustChoose(session)) {
    return (
      <span className="header-organisation" title={name}>
        {name}
      </span>
    );
  }
  const change = async (code: string): Promise<void> => {
    if (code === session.organisation.code) return;
    try {
      const changed = await choose.mutateAsync(code);
      void message.success(t('organisation.switched', { name: siteName(language, changed.organisation) }));
      void navigate('/');
    } catch (error) {
      refused(error);
    }
  };
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        selectedKeys: [session.organisation.code],
        items: session.choices.map((choice) => ({
          key: choice.code,
          label: (
            <>
              {siteName(language, choice)}
              <div className="quiet small">{roleNames(language, choice.roles)}</div>
            </>
          ),
        })),
        onClick: ({ key }) => void change(key),
      }}
    >
      <Button
        type="text"
        className="header-button header-organisation"
        loading={choose.isPending}
        aria-label={t('organisation.switch', { name })}
        title={name}
      >
        <span className="header-organisation-name">{name}</span>
        <DownOutlined />
      </Button>
    </Dropdown>
  );
}

function AppearanceSwitch() {
  const { t } = useLanguage();
  const { appearance, setAppearance } = useAppearance();
  const label = appearance === 'dark' ? t('appearance.toLight') : t('appearance.toDark');
  return (
    <Tooltip title={label}>
      <Button
        type="text"
        className="header-button"
        aria-label={label}
        icon={appearance === 'dark' ? <SunOutlined /> : <MoonOutlined />}
        onClick={() => setAppearance(appearance === 'dark' ? 'light' : 'dark')}
      />
    </Tooltip>
  );
}

function PersonMenu({ session }: { session: Session }) {
  const { t, language } = useLanguage();
  const signOut = useSignOut();
  const navigate = useNavigate();
  const name = session.person.display_name;
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: [
          { key: 'who', type: 'group', label: `${session.person.login} · ${roleNames(language, session.roles)}` },
          {
            key: 'account',
            icon: <SettingOutlined />,
            label: t('account.title'),
            onClick: () => void navigate('/account'),
          },
          { key: 'sign-out', icon: <LogoutOutlined />, label: t('session.signOut'), onClick: () => signOut.mutate() },
        ],
      }}
    >
      <Button
        type="text"
        className="header-button header-person"
        icon={<UserOutlined />}
        aria-label={t('session.menu', { name })}
      >
        {name}
      </Button>
    </Dropdown>
  );
}
