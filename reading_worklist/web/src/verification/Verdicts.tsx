import type { Verification } from '../api/types';
import { isPlainKey } from '../i18n/catalogue';
import { formatExactTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import './verdicts.css';

const TONES: Readonly<Record<string, string>> = { valid: 'good', invalid: 'bad' };

/** What a report's signatures amount to, and each of them. */
export function Verdicts({ verification }: { verification: Verification }) {
  const { t } = useLanguage();
  const word = useWord();
  return (
    <div className="verdicts">
      <p className={`verdict verdict-${TONES[verification.verdict] ?? 'open'}`} role="status">
        <strong>{word('verify.verdict', verification.verdict, verification.verdict)}</strong>
        {verification.verdict !== 'valid' && (
          <span>{word('verify.reason', verification.reason, verification.explanation)}</span>
        )}
      </p>
      <ul>
        {verification.signatures.map((signature, index) => (
          <li key={index} className={`signature signature-${TONES[signature.verdict] ?? 'open'}`}>
            <p>
              <span className="signature-role">
                {word('verify.role', signature.role ?? 'unknown', t('verify.role.unknown'))}
              </span>
              <strong>{signature.signer_name ?? t('app.none')}</strong>
              <time>{signature.signed_at === null ? t('app.none') : formatExactTime(signature.signed_at)}</time>
            </p>
            <p className="signature-reason">{word('verify.reason', signature.reason, signature.explanation)}</p>
            <p className="signature-detail">
              {[
                signature.organisation,
                signature.proven_at === null
                  ? null
                  : t('verify.provenAt', { time: formatExactTime(signature.proven_at) }),
                signature.certificate_serial === null
                  ? null
                  : t('verify.serial', { serial: signature.certificate_serial }),
              ]
                .filter((part) => part !== null && part !== '')
                .join(' · ')}
            </p>
          </li>
        ))}
      </ul>
      <p className="signature-detail">{t('verify.at', { time: formatExactTime(verification.verified_at) })}</p>
    </div>
  );
}

/** A word of the server in the language of the page; its own text when the catalogue does not know it. */
function useWord(): (group: string, word: string, otherwise: string) => string {
  const { t } = useLanguage();
  return (group, word, otherwise) => {
    const key = `${group}.${word}`;
    return isPlainKey(key) ? t(key) : otherwise;
  };
}
