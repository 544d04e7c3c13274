import type { DeliveryDetail } from '../api/types';
import { Chip } from '../design/Chip';
import { deliveryError } from '../i18n/deliveryError';
import { formatExactTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';

type Attempt = DeliveryDetail['attempt_list'][number];

/** Every attempt of a delivery, the last first, with what was sent and what the receiver said. */
export function Attempts({ attempts }: { attempts: readonly Attempt[] }) {
  const { t } = useLanguage();
  if (attempts.length === 0) return <p className="quiet">{t('deliveries.noAttempts')}</p>;
  return (
    <ol className="attempts" aria-label={t('deliveries.attempts')}>
      {attempts
        .toSorted((a, b) => b.number - a.number)
        .map((attempt) => (
          <li key={attempt.number}>
            <AttemptLine attempt={attempt} />
          </li>
        ))}
    </ol>
  );
}

function AttemptLine({ attempt }: { attempt: Attempt }) {
  const { t, language } = useLanguage();
  const words = attempt.answer === null ? null : deliveryError(language, attempt.answer);
  return (
    <>
      <div className="attempt-head">
        <span className="quiet">{t('deliveries.attempt', { n: attempt.number })}</span>
        <time dateTime={attempt.started_at}>{formatExactTime(attempt.started_at)}</time>
        <AttemptChip attempt={attempt} />
      </div>
      {words !== null && (
        <p className="attempt-answer">
          {attempt.succeeded === true ? attempt.answer : words}
          {attempt.succeeded !== true && words !== attempt.answer && (
            <span className="quiet small"> {attempt.answer}</span>
          )}
        </p>
      )}
      <Exchanged name={t('deliveries.request')} text={attempt.request} />
      <Exchanged name={t('deliveries.response')} text={attempt.response} />
    </>
  );
}

function Exchanged({ name, text }: { name: string; text: string | null }) {
  if (text === null || text === '') return null;
  return (
    <details className="attempt-text">
      <summary>{name}</summary>
      {/* HL7 ends its segments with a carriage return alone. */}
      <pre>{text.replaceAll('\r\n', '\n').replaceAll('\r', '\n')}</pre>
    </details>
  );
}

function AttemptChip({ attempt: { succeeded, outcome } }: { attempt: Attempt }) {
  const { t } = useLanguage();
  if (succeeded === null) return <Chip tone="blue">{t('deliveries.state.IN_PROGRESS')}</Chip>;
  if (succeeded) return <Chip tone="green">{t('deliveries.state.DELIVERED')}</Chip>;
  return <Chip tone="red">{t(outcome === 'refused' ? 'deliveries.state.REFUSED' : 'deliveries.attemptFailed')}</Chip>;
}
