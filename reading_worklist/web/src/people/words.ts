import type { HeldRole, Person } from './queries';

/** All roles, in the order in which they are offered. */
export const ROLES = [
  'site_technician',
  'site_doctor',
  'writer',
  'reviewer',
  'expert',
  'quality_controller',
  'dispatcher',
  'consortium_admin',
  'system_admin',
  'regulator',
  'auditor',
] as const satisfies readonly HeldRole['role'][];

const SIGNING: ReadonlySet<string> = new Set(['writer', 'reviewer', 'expert']);

export const FILTERS = ['now', 'care', 'all'] as const;
export type Filter = (typeof FILTERS)[number];

export function rolesToday(person: Person): HeldRole[] {
  return person.roles.filter((role) => role.state === 'holds');
}

/** Whether somebody has a role today that signs reports. */
export function signs(person: Person): boolean {
  return person.active && rolesToday(person).some((role) => SIGNING.has(role.role));
}

/** Whether somebody signs reports and has no key to do it with. */
export function lacksKey(person: Person): boolean {
  return signs(person) && person.signing_until === null;
}

/** Whether an administrator may have something to do: a lock, a wait, a password not chosen, a key that is missing. */
export function needsCare(person: Person): boolean {
  return !person.active || person.waits_until !== null || person.one_time_password || lacksKey(person);
}

/** The people whom a search and a filter leave. */
export function chosen(people: readonly Person[], text: string, filter: Filter): Person[] {
  const wanted = text.trim().toLowerCase();
  return people.filter(
    (person) =>
      (filter === 'all' || (filter === 'care' ? needsCare(person) : rolesToday(person).length > 0)) &&
      (wanted === '' || person.login.includes(wanted) || person.display_name.toLowerCase().includes(wanted)),
  );
}
