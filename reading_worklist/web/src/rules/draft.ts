import type { Rule } from './queries';

/** Rules that somebody is changing, and the version they were taken from; null when there was none. */
export interface Draft {
  rules: Rule[];
  basedOn: number | null;
}

export type ChangeKind = 'added' | 'changed' | 'moved' | 'removed';
export interface Change {
  kind: ChangeKind;
  name: string;
}

const KEY = 'rdc.rules.draft.';

/** What tells two orders of rules apart, by name: what is new, says something else, stands elsewhere, or is gone. */
export function changes(before: readonly Rule[], after: readonly Rule[]): Change[] {
  const old = new Map(before.map((rule) => [rule.name, rule]));
  const names = new Set(after.map((rule) => rule.name));
  const found: Change[] = [];
  const stayed = before.filter((rule) => names.has(rule.name)).map((rule) => rule.name);
  const unmoved = longestInOrder(
    stayed,
    after.map((rule) => rule.name),
  );
  for (const rule of after) {
    const was = old.get(rule.name);
    if (was === undefined) found.push({ kind: 'added', name: rule.name });
    else if (!sameRule(was, rule)) found.push({ kind: 'changed', name: rule.name });
    else if (!unmoved.has(rule.name)) found.push({ kind: 'moved', name: rule.name });
  }
  for (const rule of before) if (!names.has(rule.name)) found.push({ kind: 'removed', name: rule.name });
  return found;
}

/** The most names that stand in the same order in both lists: whatever else is in both was moved. */
function longestInOrder(before: readonly string[], after: readonly string[]): ReadonlySet<string> {
  const place = new Map(after.map((name, at) => [name, at]));
  const best: string[][] = [];
  for (const [at, name] of before.entries()) {
    let longest: string[] = [];
    for (let earlier = 0; earlier < at; earlier += 1) {
      const other = before[earlier];
      const chain = best[earlier];
      if (other === undefined || chain === undefined) continue;
      if ((place.get(other) ?? 0) < (place.get(name) ?? 0) && chain.length > longest.length) longest = chain;
    }
    best.push([...longest, name]);
  }
  return new Set(best.reduce((one, other) => (other.length > one.length ? other : one), []));
}

export function sameRules(one: readonly Rule[], other: readonly Rule[]): boolean {
  return one.length === other.length && one.every((rule, at) => other[at] !== undefined && sameRule(rule, other[at]));
}

function sameRule(one: Rule, other: Rule): boolean {
  return canonical(one) === canonical(other);
}

/** Equal rules give equal texts, whatever the order of their members. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** Returns the rules with the one at `at` one place further up (-1) or down (1); the same when there is no such place. */
export function moved(rules: readonly Rule[], at: number, by: -1 | 1): Rule[] {
  const other = at + by;
  const [one, two] = [rules[at], rules[other]];
  if (one === undefined || two === undefined) return [...rules];
  return rules.map((rule, place) => (place === at ? two : place === other ? one : rule));
}

/** The draft that this browser keeps for an organisation; null without one. */
export function keptDraft(organisation: string): Draft | null {
  try {
    const kept = localStorage.getItem(KEY + organisation);
    return kept === null ? null : (JSON.parse(kept) as Draft);
  } catch {
    // A browser without storage keeps no draft.
    return null;
  }
}

export function keepDraft(organisation: string, draft: Draft | null): void {
  if (draft === null) localStorage.removeItem(KEY + organisation);
  else localStorage.setItem(KEY + organisation, JSON.stringify(draft));
}
