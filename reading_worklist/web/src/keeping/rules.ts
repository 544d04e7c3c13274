import type { RetentionRule } from '../api/types';

/** The most years that the API takes. */
export const LONGEST_YEARS = 200;

/** The rules of one site, by kind of visit. */
export interface SiteRules {
  site_id: string;
  site_code: string;
  site_name: string;
  site_name_en: string;
  rules: Partial<Record<RetentionRule['visit_kind'], RetentionRule>>;
}

/** One line for each site, in the order of the API. */
export function bySite(rules: readonly RetentionRule[]): SiteRules[] {
  const sites = new Map<string, SiteRules>();
  for (const rule of rules) {
    const { site_id, site_code, site_name, site_name_en } = rule;
    const site = sites.get(site_id) ?? { site_id, site_code, site_name, site_name_en, rules: {} };
    site.rules[rule.visit_kind] = rule;
    sites.set(site_id, site);
  }
  return [...sites.values()];
}

/** Whether these roles change rules and decide about purges. The server decides; this only shows. */
export function decidesKeeping(roles: readonly string[]): boolean {
  return roles.includes('consortium_admin') || roles.includes('system_admin');
}
