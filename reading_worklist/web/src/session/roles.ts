import type { Session } from '../api/types';

export const PAGES = [
  '/worklist',
  '/portal',
  '/orders',
  '/identity',
  '/deliveries',
  '/quarantine',
  '/keeping',
] as const;
export type Page = (typeof PAGES)[number];

const PAGES_OF_ROLE: Readonly<Record<string, readonly Page[]>> = {
  site_technician: ['/orders', '/portal'],
  site_doctor: ['/portal', '/orders'],
  writer: ['/worklist'],
  reviewer: ['/worklist'],
  quality_controller: ['/worklist'],
  dispatcher: ['/worklist', '/identity', '/deliveries', '/quarantine', '/keeping'],
  consortium_admin: ['/deliveries', '/quarantine', '/keeping', '/worklist'],
  system_admin: ['/deliveries', '/quarantine', '/keeping'],
};

/** The pages that a person's roles open, in the order of the navigation. The server decides; this only shows. */
export function pagesOf(session: Session): Page[] {
  const open = new Set(session.roles.flatMap((role) => PAGES_OF_ROLE[role] ?? []));
  return PAGES.filter((page) => open.has(page));
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

/** Where a person starts: the first page of the first role that has one; null when no role has a page. */
export function landingOf(session: Session): Page | null {
  const reads = session.roles.includes('writer') || session.roles.includes('reviewer');
  if (reads) return '/worklist';
  for (const role of session.roles) {
    const [first] = PAGES_OF_ROLE[role] ?? [];
    if (first !== undefined) return first;
  }
  return null;
}
