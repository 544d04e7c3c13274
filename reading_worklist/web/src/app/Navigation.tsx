import { DownOutlined } from '@ant-design/icons';
import { useQueries } from '@tanstack/react-query';
import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { NavLink, useLocation } from 'react-router';

import { useLanguage } from '../i18n/language';
import { barOf, entryOf, type Group, type Page } from '../session/pages';
import { BADGES } from './badges';
import './navigation.css';

const BADGE_INTERVAL = 60_000;

type Counts = Partial<Record<Page, number>>;

/** The way to every page of a person, gathered in menus where they are many. */
export function Navigation({ pages }: { pages: readonly Page[] }) {
  const { t } = useLanguage();
  const counts = useCounts(pages);
  return (
    <nav className="nav" aria-label={t('app.mainNavigation')}>
      {barOf(pages).map((item) =>
        'page' in item ? (
          <PageLink key={item.page} page={item.page} counts={counts} />
        ) : (
          <PageMenu key={item.group} group={item.group} pages={item.pages} counts={counts} />
        ),
      )}
    </nav>
  );
}

/** How much waits on each of some pages; nothing yet, or a failure, is no number. */
function useCounts(pages: readonly Page[]): Counts {
  return useQueries({
    queries: pages.flatMap((page) => {
      const badge = BADGES[page];
      if (badge === undefined) return [];
      return [
        {
          queryKey: badge.key,
          queryFn: badge.count,
          refetchInterval: BADGE_INTERVAL,
        },
      ];
    }),
    combine: (answers) => {
      const counted = pages.filter((page) => BADGES[page] !== undefined);
      return Object.fromEntries(counted.map((page, place) => [page, answers[place]?.data ?? 0]));
    },
  });
}

function PageLink({ page, counts, onGo }: { page: Page; counts: Counts; onGo?: () => void }) {
  const { t } = useLanguage();
  return (
    <NavLink to={page} {...(onGo === undefined ? {} : { onClick: onGo })}>
      {t(entryOf(page).name)}
      <Count n={counts[page] ?? 0} />
    </NavLink>
  );
}

function Count({ n }: { n: number }) {
  const { t } = useLanguage();
  if (n === 0) return null;
  return (
    <span className="nav-count">
      {n > 99 ? '99+' : n}
      <span className="visually-hidden">{t('nav.waiting')}</span>
    </span>
  );
}

/** Several pages behind one button: Enter or ↓ opens, arrows go through, Esc and leaving close. */
function PageMenu({ group, pages, counts }: { group: Group; pages: readonly Page[]; counts: Counts }) {
  const { t } = useLanguage();
  const { pathname } = useLocation();
  const [open, setOpen] = useState(false);
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const inside = pages.some((page) => pathname === page || pathname.startsWith(`${page}/`));
  const total = pages.reduce((sum, page) => sum + (counts[page] ?? 0), 0);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && open) {
      setOpen(false);
      button.current?.focus();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      // The links are there to be focused only once it is open.
      flushSync(() => setOpen(true));
      const links = [...(menu.current?.querySelectorAll('a') ?? [])];
      const at = links.findIndex((link) => link === document.activeElement);
      const step = event.key === 'ArrowDown' ? 1 : -1;
      links.at(at < 0 && step < 0 ? -1 : (at + step) % links.length)?.focus();
    } else {
      return;
    }
    // The page's own arrows and Esc are not meant.
    event.preventDefault();
  };

  return (
    <div
      className="nav-menu"
      onKeyDown={onKeyDown}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <button
        ref={button}
        type="button"
        className={`nav-menu-button${inside ? ' active' : ''}`}
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        {t(`nav.group.${group}`)}
        <Count n={total} />
        <DownOutlined />
      </button>
      {open && (
        <div ref={menu} id={id} className="nav-menu-pages">
          {pages.map((page) => (
            <PageLink key={page} page={page} counts={counts} onGo={() => setOpen(false)} />
          ))}
        </div>
      )}
    </div>
  );
}
