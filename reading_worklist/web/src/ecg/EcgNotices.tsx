import type { EcgAnalysed, EcgMeasured, EcgRecord } from '../api/types';
import { isPlainKey } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import { limitWords } from './limits';

interface EcgNoticesProps {
  record: EcgRecord | undefined;
  /** Whether the analysis is still on its way. */
  pending: boolean;
  analysed: EcgAnalysed | undefined;
  measured: EcgMeasured | undefined;
  highlighted: ReadonlySet<string>;
  onHighlight: (leads: ReadonlySet<string>) => void;
}

interface Notice {
  key: string;
  /** repeat: what was recorded, or measured, cannot be relied on as it stands. */
  look: 'urgent' | 'repeat' | 'note';
  text: string;
  title: string;
  leads: readonly string[];
}

/** What a reader has to know before judging the trace: rules that are met, and what is wrong with the recording. */
export function EcgNotices({ record, pending, analysed, measured, highlighted, onHighlight }: EcgNoticesProps) {
  const { t, language } = useLanguage();
  const notices: Notice[] = [];
  for (const hint of analysed?.hints ?? []) {
    const source = [hint.source, hint.cites].filter((part) => part !== null).join(' · ');
    const text = [
      language === 'en' ? hint.text_en : hint.text,
      ...hint.assumptions.map((one) => t(`ecg.assumed.${one}`)),
      hint.critical ? t('ecg.hint.suspected') : null,
    ]
      .filter((part) => part !== null)
      .join(' · ');
    // Several lists may say the same of the same leads: it is said once, with all that say so.
    const same = notices.find((one) => one.text === text);
    if (same !== undefined) {
      same.title = `${same.title}\n${source}`;
      continue;
    }
    notices.push({
      key: `${hint.ruleset} ${hint.code}`,
      look: 'urgent',
      text,
      title: source,
      leads: hint.measured.map((one) => one.what).filter((one) => record?.leads.includes(one) === true),
    });
  }
  for (const finding of analysed?.findings ?? []) {
    const key = `ecg.finding.${finding.code}`;
    const words = isPlainKey(key) ? t(key) : finding.code;
    const leads = finding.leads.join(t('ecg.comma'));
    notices.push({
      key: `${finding.code} ${finding.severity}`,
      look: finding.severity === 'REPEAT' ? 'repeat' : 'note',
      text: leads === '' ? words : t('ecg.finding.inLeads', { what: words, leads }),
      title: finding.source,
      leads: finding.leads,
    });
  }
  for (const note of measured?.notes ?? []) {
    if (note.code === 'first_seconds')
      notices.push({ key: note.code, look: 'repeat', text: limitWords(language, note), title: '', leads: [] });
  }
  if (record?.band_too_narrow === true) {
    const needed = record.diagnostic_filter.split('-').at(-1) ?? '';
    notices.push({ key: 'band', look: 'note', text: t('ecg.band.narrow', { needed }), title: '', leads: [] });
  }
  const problem = analysed?.problem ?? null;
  if (problem !== null) {
    notices.push({ key: 'problem', look: 'note', text: t('ecg.analysis.failed'), title: problem, leads: [] });
  }
  if (notices.length === 0 && !pending) return null;
  return (
    <ul className="ecg-notices" aria-label={t('ecg.notices')}>
      {pending && <li className="ecg-notice">{t('ecg.analysis.pending')}</li>}
      {notices.map((notice) => {
        const shown = notice.leads.length > 0 && notice.leads.every((lead) => highlighted.has(lead));
        return (
          <li key={notice.key} className={`ecg-notice ecg-notice-${notice.look}`} title={notice.title}>
            <span>{notice.text}</span>
            {notice.leads.length > 0 && (
              <button
                type="button"
                className="link-button"
                aria-pressed={shown}
                onClick={() => onHighlight(new Set(shown ? [] : notice.leads))}
              >
                {t(shown ? 'ecg.leads.hide' : 'ecg.leads.show')}
              </button>
            )}
          </li>
        );
      })}
      {analysed !== undefined && analysed.not_judged.length > 0 && (
        <li className="ecg-notice" title={analysed.not_judged.map((one) => `${one.code} ${one.reason}`).join('\n')}>
          {t('ecg.notJudged', { n: analysed.not_judged.length })}
        </li>
      )}
    </ul>
  );
}
