import type { Lane, Priority } from '../api/types';
import { type Language, textOf } from '../i18n/catalogue';
import { siteName } from '../i18n/siteName';
import type { ClockRow, Group, Rule } from './queries';

/** What the words of a rule are taken from. */
export interface Words {
  sites: readonly { code: string; name: string; name_en: string }[];
  groups: readonly Pick<Group, 'code' | 'name' | 'name_en'>[];
  clocks: readonly Pick<ClockRow, 'clock' | 'priority' | 'due_minutes'>[];
}

export interface Sentence {
  when: string;
  then: string;
}

const HOUR = 60;

/** What a rule asks and what it does, as somebody would say it. */
export function sentenceOf(language: Language, rule: Pick<Rule, 'when' | 'then'>, words: Words): Sentence {
  return { when: condition(language, rule.when, words), then: outcome(language, rule.then, rule.when, words) };
}

function condition(language: Language, when: Rule['when'], words: Words): string {
  const or = textOf(language, 'rules.or');
  const parts = [
    when.sites.length > 0 &&
      textOf(language, 'rules.from', {
        sites: when.sites.map((code) => siteWord(language, code, words)).join(or),
      }),
    when.modalities.join(or),
    when.body_parts.length > 0 && textOf(language, 'rules.part', { parts: when.body_parts.join(or) }),
    when.devices.length > 0 && textOf(language, 'rules.device', { devices: when.devices.join(or) }),
    when.visit_types.map((visit) => textOf(language, `orders.visit.${visit}`)).join(or),
    when.priorities.map((priority) => textOf(language, `priority.${priority}`)).join(or),
    when.working !== null && textOf(language, when.working ? 'rules.working' : 'rules.outside'),
    when.windows
      .map((window) =>
        textOf(language, 'rules.window', { from: window.begins.slice(0, 5), to: window.ends.slice(0, 5) }),
      )
      .join(or),
    when.on_duty !== null && textOf(language, 'rules.onDuty', { group: groupWord(language, when.on_duty, words) }),
  ];
  return joined(language, parts) || textOf(language, 'rules.every');
}

function outcome(language: Language, then: Rule['then'], when: Rule['when'], words: Words): string {
  const parts = [
    then.lane !== null && textOf(language, 'rules.toLane', { lane: laneWord(language, then.lane) }),
    then.group !== null && textOf(language, 'rules.toGroup', { group: groupWord(language, then.group, words) }),
    then.priority !== null &&
      textOf(language, 'rules.toPriority', { priority: textOf(language, `priority.${then.priority}`) }),
    then.clock !== null && textOf(language, 'rules.toClock', { clock: textOf(language, `clock.${then.clock}`) }),
    dueWord(language, then, when, words),
    then.assign && textOf(language, 'rules.assigned'),
  ];
  return joined(language, parts) || textOf(language, 'rules.unchanged');
}

/** The time that runs, where clock and priority are known from the rule alone. */
function dueWord(language: Language, then: Rule['then'], when: Rule['when'], words: Words): string | null {
  const priority = then.priority ?? (when.priorities.length === 1 ? (when.priorities[0] ?? null) : null);
  const clock = then.clock ?? (then.lane === 'ecg' ? 'ecg' : null);
  const row = words.clocks.find((one) => one.clock === clock && one.priority === priority);
  if (row === undefined) return null;
  return textOf(language, 'rules.dueIn', { time: minutes(language, row.due_minutes) });
}

/** `8 min`, `2 h`, `1 h 30 min`: a number of minutes in words. */
export function minutes(language: Language, count: number): string {
  const [h, m] = [Math.floor(count / HOUR), count % HOUR];
  if (h === 0) return textOf(language, 'rules.minutes', { m });
  return m === 0 ? textOf(language, 'rules.hours', { h }) : textOf(language, 'rules.hoursMinutes', { h, m });
}

export function groupWord(language: Language, code: string, words: Pick<Words, 'groups'>): string {
  const group = words.groups.find((one) => one.code === code);
  return group === undefined ? code : siteName(language, group);
}

export function siteWord(language: Language, code: string, words: Pick<Words, 'sites'>): string {
  const site = words.sites.find((one) => one.code === code);
  return site === undefined ? code : siteName(language, site);
}

export function laneWord(language: Language, lane: Lane): string {
  return textOf(language, `lane.${lane}`);
}

export function priorityWord(language: Language, priority: Priority): string {
  return textOf(language, `priority.${priority}`);
}

function joined(language: Language, parts: readonly (string | false | null)[]): string {
  const separator = textOf(language, 'rules.comma');
  return parts.filter((part): part is string => typeof part === 'string' && part !== '').join(separator);
}
