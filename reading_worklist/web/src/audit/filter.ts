/** What an auditor asks for; empty does not narrow. Days as the browser's zone has them. */
export interface Filter {
  subject: string;
  login: string;
  object: string;
  since: string;
  until: string;
}

export const FIELDS = ['subject', 'login', 'object', 'since', 'until'] as const;

export function filterOf(parameters: URLSearchParams): Filter {
  const value = (name: (typeof FIELDS)[number]) => parameters.get(name) ?? '';
  return {
    subject: value('subject'),
    login: value('login'),
    object: value('object'),
    since: value('since'),
    until: value('until'),
  };
}

/** The address of a search: what is not asked for is not in it. */
export function parametersOf(filter: Filter): Record<string, string> {
  return Object.fromEntries(
    FIELDS.map((name) => [name, filter[name].trim()] as const).filter(([, value]) => value !== ''),
  );
}

/** What the server is asked; both days are included. */
export function toQuery(filter: Filter) {
  const { subject, login, object } = filter;
  return {
    ...(subject === '' ? {} : { action: subject }),
    ...(login.trim() === '' ? {} : { login: login.trim().toLowerCase() }),
    ...(object.trim() === '' ? {} : { subject_id: object.trim() }),
    ...(filter.since === '' ? {} : { since: startOf(filter.since, 0) }),
    ...(filter.until === '' ? {} : { until: startOf(filter.until, 1) }),
  };
}

/** The moment at which a day begins here, or so many days later. */
function startOf(day: string, later: number): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}
