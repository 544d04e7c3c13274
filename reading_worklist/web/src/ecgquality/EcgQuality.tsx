import type { EcgChecked, EcgFinding } from '../api/types';
import { Chip } from '../design/Chip';
import { useLanguage } from '../i18n/language';
import { useEcgQuality } from './queries';
import { adviceOf, amountOf } from './words';
import './ecgquality.css';

/** For the people of the site: whether to record again at once, and why; nothing for an exam without an ECG. */
export function EcgQuality({ id }: { id: string }) {
  const { t } = useLanguage();
  const { data } = useEcgQuality(id);
  if (data === undefined || data.state === 'none') return null;
  return (
    <section className="ecg-quality" aria-label={t('ecgQuality.title')} aria-live="polite">
      <h2>{t('ecgQuality.title')}</h2>
      {data.state === 'pending' && <p className="quiet">{t('ecgQuality.pending')}</p>}
      {data.state === 'failed' && <p>{t('ecgQuality.failed')}</p>}
      {data.ecgs.map((ecg, index) => (
        <OneEcg key={ecg.sop_instance_uid} ecg={ecg} number={data.ecgs.length > 1 ? index + 1 : null} />
      ))}
    </section>
  );
}

function OneEcg({ ecg, number }: { ecg: EcgChecked; number: number | null }) {
  const { t } = useLanguage();
  return (
    <article className={`ecg-checked${ecg.repeat ? ' ecg-checked-repeat' : ''}`}>
      <header>
        {number !== null && <span className="quiet">{t('ecgQuality.number', { n: number })}</span>}
        <Verdict ecg={ecg} />
        {ecg.thumbnail !== null && <img src={ecg.thumbnail} alt={t('ecgQuality.picture')} loading="lazy" />}
      </header>
      {ecg.state === 'UNREADABLE' && <p>{t('ecgQuality.unreadable', { problem: ecg.problem ?? '' })}</p>}
      {ecg.state === 'FAILED' && <p>{t('ecgQuality.notAnalysed')}</p>}
      {ecg.repeat && <p className="strong">{t('ecgQuality.repeatBecause')}</p>}
      {ecg.findings.length > 0 && (
        <ul>
          {ecg.findings.map((finding) => (
            <Finding key={`${finding.code} ${finding.severity}`} finding={finding} />
          ))}
        </ul>
      )}
    </article>
  );
}

function Verdict({ ecg }: { ecg: EcgChecked }) {
  const { t } = useLanguage();
  if (ecg.state !== 'DONE') return <Chip tone="amber">{t('ecgQuality.look')}</Chip>;
  if (ecg.repeat) return <Chip tone="red">{t('ecgQuality.repeat')}</Chip>;
  if (ecg.findings.length > 0) return <Chip tone="amber">{t('ecgQuality.usable')}</Chip>;
  return <Chip tone="green">{t('ecgQuality.fine')}</Chip>;
}

function Finding({ finding }: { finding: EcgFinding }) {
  const { t, language } = useLanguage();
  const advice = finding.severity === 'REPEAT' ? adviceOf(language, finding.code) : null;
  const amount = amountOf(language, finding);
  return (
    <li title={finding.source}>
      <Chip tone={finding.severity === 'REPEAT' ? 'red' : 'amber'} hollow>
        {t(`ecgQuality.severity.${finding.severity}`)}
      </Chip>
      <div>
        <span className="strong">{t(`ecgQuality.code.${finding.code}`)}</span> {finding.leads.join(' ')}
        {amount !== '' && <div className="quiet small">{amount}</div>}
        {advice !== null && <div className="small">{advice}</div>}
      </div>
    </li>
  );
}
