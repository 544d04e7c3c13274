import { CheckCircleFilled, CloseCircleFilled, WarningFilled } from '@ant-design/icons';

import type { CheckFinding } from '../api/types';
import { useLanguage } from '../i18n/language';
import { checkWords } from './checkWords';
import './writing.css';

interface ChecksListProps {
  findings: readonly CheckFinding[];
  /** Whether the checks could not be asked. */
  failed?: boolean;
  /** Keys of findings that somebody explained when signing. */
  answered?: readonly string[];
  /** Goes to the words; without it a finding is only told. */
  onGo?: (finding: CheckFinding) => void;
}

/** What the checks find, the gravest first; each leads to its words. */
export function ChecksList({ findings, failed = false, answered = [], onGo }: ChecksListProps) {
  const { t, language } = useLanguage();
  if (failed) return <p className="checks checks-failed">{t('checks.failed')}</p>;
  if (findings.length === 0) {
    return (
      <p className="checks checks-clear">
        <CheckCircleFilled /> {t('checks.clear')}
      </p>
    );
  }
  const blocks = findings.filter((one) => one.severity === 'block').length;
  return (
    <section className="checks" aria-label={t('checks.title')}>
      <h2>
        {t('checks.title')}
        <span>{t('checks.counts', { blocks, warnings: findings.length - blocks })}</span>
      </h2>
      <ul>
        {findings.map((one) => {
          const words = (
            <>
              {one.severity === 'block' ? <CloseCircleFilled /> : <WarningFilled />}
              <span>
                <strong>{t(`checks.${one.severity}`)}</strong> {checkWords(language, one)}
                {one.excerpt !== '' && <q>{one.excerpt}</q>}
                {answered.includes(one.key) && <em>{t('checks.overridden')}</em>}
              </span>
            </>
          );
          return (
            <li key={one.key} className={`check check-${one.severity}`}>
              {onGo === undefined ? (
                <div>{words}</div>
              ) : (
                <button type="button" onClick={() => onGo(one)}>
                  {words}
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
