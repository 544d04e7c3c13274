import type { Language } from './catalogue';

/** The name of a site or organisation in the language of the page; the Chinese one when there is no other. */
export function siteName(language: Language, site: { name: string; name_en: string }): string {
  return language === 'en' && site.name_en !== '' ? site.name_en : site.name;
}
