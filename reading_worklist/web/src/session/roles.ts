import type { Session } from '../api/types';
import { entryOf, type Page, PAGES } from './pages';

/** The pages that a person's roles open, in the order of the navigation. The server decides; this only shows. */
export function pagesOf(session: Session): Page[] {
  return PAGES.filter((page) => entryOf(page).roles.some((role) => session.roles.includes(role)));
}

/** Whether a person chooses for whom to act before anything else is shown. */
export function mustChoose(session: Session): boolean {
  return session.choices.length > 1;
}

/** Where to go on after a choice: the page that was asked for, if the roles there open it, else the start. */
export function pageAfterChoice(session: Session, wanted: string): string {
  const first = `/${wanted.split(/[/?#]/)[1] ?? ''}`;
  // An exam is opened from the worklist.
  const needed = first === '/exams' ? '/worklist' : first;
  return pagesOf(session).some((page) => page === needed) ? wanted : '/';
}

/** Where a person starts: readers at the worklist, else where the first role that says so begins; null without a page. */
export function landingOf(session: Session): Page | null {
  const readersFirst = [...session.roles].sort((a, b) => Number(reads(b)) - Number(reads(a)));
  for (const role of readersFirst) {
    const start = PAGES.find((page) => entryOf(page).start?.includes(role));
    if (start !== undefined) return start;
  }
  return pagesOf(session)[0] ?? null;
}

function reads(role: string): boolean {
  return role === 'writer' || role === 'reviewer';
}
