import { LogoutOutlined, MoonOutlined, SunOutlined, UserOutlined } from '@ant-design/icons';
import { Button, Dropdown, Tooltip } from 'antd';
import { NavLink } from 'react-router';

import type { Session } from '../api/types';
import { useAppearance } from '../design/appearance';
import { LanguageSwitch } from '../design/LanguageSwitch';
import { Mark } from '../design/Mark';
import { isPlainKey, type PlainKey } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import { type Page, pagesOf } from '../session/roles';
import { useSignOut } from '../session/session';
import { LiveDot } from './LiveDot';

const PAGE_NAMES: Record<Page, PlainKey> = {
  '/worklist': 'nav.worklist',
  '/portal': 'nav.portal',
  '/orders': 'nav.orders',
  '/identity': 'nav.identity',
  '/deliveries': 'nav.deliveries',
  '/quarantine': 'nav.quarantine',
  '/keeping': 'nav.keeping',
};

export function Header({ session }: { session: Session }) {
  const { t, language } = useLanguage();
  const pages = pagesOf(session);
  const organisation =
    language === 'en' && session.organisation.name_en !== '' ? session.organisation.name_en : session.organisation.name;
  return (
    <header className="header">
      <NavLink to="/" className="header-brand">
        <Mark size={26} />
        <span className="header-name">{t('app.name')}</span>
      </NavLink>
      <nav className="header-nav" aria-label={t('app.mainNavigation')}>
        {pages.map((page) => (
          <NavLink key={page} to={page}>
            {t(PAGE_NAMES[page])}
          </NavLink>
        ))}
      </nav>
      <LiveDot />
      <span className="header-organisation" title={organisation}>
        {organisation}
      </span>
      <LanguageSwitch />
      <AppearanceSwitch />
      <PersonMenu session={session} />
    </header>
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
  const { t } = useLanguage();
  const signOut = useSignOut();
  const name = session.person.display_name;
  const roles = session.roles.map((role) => {
    const key = `role.${role}`;
    return isPlainKey(key) ? t(key) : role;
  });
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: [
          { key: 'who', type: 'group', label: `${session.person.login} · ${roles.join(t('app.listSeparator'))}` },
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
