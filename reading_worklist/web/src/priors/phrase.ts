import type { PriorReport, PriorStudy } from '../api/types';
import { type Language, textOf } from '../i18n/catalogue';
import { siteName } from '../i18n/siteName';

/** The sentence by which a report says with what it was compared; the doctor writes on from there. */
export function comparisonPhrase(language: Language, prior: PriorStudy): string {
  const date = prior.study_date ?? textOf(language, 'priors.undated');
  const what = [prior.modalities.filter((one) => one !== 'SR' && one !== 'PR').join('/'), prior.description ?? '']
    .filter((part) => part !== '')
    .join(' ');
  return textOf(language, 'priors.phrase', { date, site: siteName(language, prior.site), what });
}

/** The same with what the prior's report concluded, marked as quoted. */
export function quotedImpression(language: Language, prior: PriorStudy, report: PriorReport): string {
  const impression = report.impression.trim().replace(/\s*\n\s*/g, ' ');
  return textOf(language, 'priors.quote', { phrase: comparisonPhrase(language, prior), impression });
}
