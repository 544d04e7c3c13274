import type { Language } from './catalogue';

/** The name of a site or organisation in the language of the page; the Chinese one when there is no other. */
export function siteName(language: Language, site: { name: string; name_en: string }): string {
  return language === 'en' && site.name_en !== '' ? site.name_en : site.name;
}

/** The same for a row that holds the names of its site among other facts. */
export function siteOf(language: Language, row: { site_name: string; site_name_en: string }): string {
  return siteName(language, { name: row.site_name, name_en: row.site_name_en });
}
