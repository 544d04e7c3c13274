import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import type { components, paths } from '../api/schema';

type Schemas = components['schemas'];

/** By its address: two parts of the API name a model so. */
type Answered = paths['/api/routing/rulesets']['get']['responses'][200]['content']['application/json'][number];
type Answer = Answered['rules'][number];

/** A rule with all its members: what the API may leave out asks and changes nothing. */
export interface Rule extends Answer {
  enabled: boolean;
  when: Required<NonNullable<Answer['when']>>;
  then: Required<NonNullable<Answer['then']>>;
}
export interface Ruleset extends Answered {
  rules: Rule[];
}

export const EMPTY_RULE: Rule = {
  name: '',
  enabled: true,
  when: {
    sites: [],
    modalities: [],
    body_parts: [],
    devices: [],
    priorities: [],
    visit_types: [],
    windows: [],
    working: null,
    on_duty: null,
  },
  then: { lane: null, group: null, priority: null, clock: null, assign: false },
};

function whole(rule: Answer): Rule {
  return {
    ...EMPTY_RULE,
    ...rule,
    when: { ...EMPTY_RULE.when, ...rule.when },
    then: { ...EMPTY_RULE.then, ...rule.then },
  };
}

export type Trial = Schemas['TrialResult'];
export type MovedStudy = Trial['studies'][number];
export type Group = Schemas['GroupView'];
export type GroupBody = Schemas['GroupBody'];
export type Reader = Schemas['Reader'];
export type ClockRow = Schemas['ClockView'];
export type ClockBody = Schemas['ClockBody'];
export type WorkingTime = Schemas['WorkingTimeView'];

const ROUTING = ['routing'] as const;
export const GROUPS_KEY = [...ROUTING, 'groups'] as const;

export function useRulesets() {
  return useQuery({
    queryKey: [...ROUTING, 'rulesets'],
    queryFn: async (): Promise<Ruleset[]> => {
      const versions = await answer(api.GET('/api/routing/rulesets'));
      return versions.map((one) => ({ ...one, rules: one.rules.map(whole) }));
    },
  });
}

export function useGroups() {
  return useQuery({ queryKey: GROUPS_KEY, queryFn: () => answer(api.GET('/api/reading-groups')) });
}

export function useSites() {
  return useQuery({ queryKey: keys.sites, queryFn: () => answer(api.GET('/api/sites')), staleTime: Infinity });
}

export function useClocks(site: string | null) {
  return useQuery({
    queryKey: [...ROUTING, 'clocks', site],
    queryFn: () => answer(api.GET('/api/clocks', { params: { query: site === null ? {} : { site } } })),
    placeholderData: keepPreviousData,
  });
}

export function useWorkingTime(year: number) {
  return useQuery({
    queryKey: [...ROUTING, 'calendar', year],
    queryFn: () => answer(api.GET('/api/working-time', { params: { query: { year } } })),
    placeholderData: keepPreviousData,
  });
}

export function useTrial() {
  return useMutation({
    mutationFn: (asked: { rules: Rule[]; days: number }) => answer(api.POST('/api/routing/trial', { body: asked })),
  });
}

type Act =
  | { kind: 'publish'; rules: Rule[]; reason: string; basedOn: number | null }
  | { kind: 'switch-off' }
  | { kind: 'group'; code: string; body: GroupBody }
  | { kind: 'clock'; row: ClockRow; body: ClockBody }
  | { kind: 'reset-clock'; row: ClockRow; site: string | null }
  | { kind: 'day'; day: string; working: boolean; reason: string }
  | { kind: 'remove-day'; day: string }
  | { kind: 'hours'; body: Schemas['HoursBody'] };

function perform(act: Act): Promise<unknown> {
  switch (act.kind) {
    case 'publish':
      return answer(
        api.POST('/api/routing/publish', { body: { rules: act.rules, reason: act.reason, based_on: act.basedOn } }),
      );
    case 'switch-off':
      return answer(api.POST('/api/routing/switch-off'));
    case 'group':
      return answer(api.PUT('/api/reading-groups/{code}', { params: { path: { code: act.code } }, body: act.body }));
    case 'clock':
      return answer(
        api.PUT('/api/clocks/{clock}/{priority}', {
          params: { path: { clock: act.row.clock, priority: act.row.priority } },
          body: act.body,
        }),
      );
    case 'reset-clock':
      return answer(
        api.DELETE('/api/clocks/{clock}/{priority}', {
          params: {
            path: { clock: act.row.clock, priority: act.row.priority },
            query: act.site === null ? {} : { site: act.site },
          },
        }),
      );
    case 'day':
      return answer(
        api.PUT('/api/working-time/days/{day}', {
          params: { path: { day: act.day } },
          body: { working: act.working, reason: act.reason },
        }),
      );
    case 'remove-day':
      return answer(api.DELETE('/api/working-time/days/{day}', { params: { path: { day: act.day } } }));
    case 'hours':
      return answer(api.PUT('/api/working-time/hours', { body: act.body }));
  }
}

/** Changes something of routing; everything about it is asked again, also after a refusal. */
export function useRoutingAct() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: perform,
    onSettled: () => client.invalidateQueries({ queryKey: ROUTING }),
  });
}
