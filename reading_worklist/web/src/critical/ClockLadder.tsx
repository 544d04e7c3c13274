import { CheckOutlined } from '@ant-design/icons';

import type { CriticalDetail } from '../api/types';
import { useSecond } from '../design/clock';
import { formatClock, formatDuration } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { stepOf } from './words';

/** The clocks of a critical value: the national limit, then who is told when as long as nobody answers. */
export function ClockLadder({ value }: { value: CriticalDetail }) {
  const { t } = useLanguage();
  const waits = value.acknowledged_at === null && value.dismissed_at === null;
  if (!waits && value.state !== 'ACKED') return null;
  return (
    <div className="ladder">
      {waits && <Limit at={value.limit_at} />}
      {value.state === 'ACKED' && <ActionLimit value={value} />}
      {waits && value.steps.length > 0 && (
        <ol className="ladder-steps" aria-label={t('critical.steps')}>
          {value.steps.map((step) => (
            <Step key={step.step} value={value} step={step} />
          ))}
        </ol>
      )}
    </div>
  );
}

/** The ten minutes within which the site has to know, running. */
function Limit({ at }: { at: string }) {
  const { t, language } = useLanguage();
  const left = Date.parse(at) - useSecond();
  return (
    <p className={`ladder-limit${left < 0 ? ' ladder-over' : ''}`} role="timer">
      <span className="ladder-time">{formatDuration(language, left)}</span>
      <span>{t(left < 0 ? 'critical.limit.over' : 'critical.limit.left', { time: formatClock(at) })}</span>
    </p>
  );
}

function ActionLimit({ value }: { value: CriticalDetail }) {
  const { t, language } = useLanguage();
  const now = useSecond();
  if (value.next_at === null) return <p className="ladder-limit ladder-over">{t('critical.action.over')}</p>;
  const left = Date.parse(value.next_at) - now;
  return (
    <p className={`ladder-limit${left < 0 ? ' ladder-over' : ''}`} role="timer">
      <span className="ladder-time">{formatDuration(language, left)}</span>
      <span>{t('critical.action.left', { time: formatClock(value.next_at) })}</span>
    </p>
  );
}

function Step({ value, step }: { value: CriticalDetail; step: CriticalDetail['steps'][number] }) {
  const { t, language } = useLanguage();
  const now = useSecond();
  const people = value.contacts.filter((one) => one.step === step.step);
  const left = Date.parse(step.due_at) - now;
  // Whoever is rung by telephone need not wait for the system to say so.
  const late = !step.reached && left < 0;
  const isNow = step.reached && step.step === value.level;
  return (
    <li className={`ladder-step${step.reached ? ' ladder-reached' : ''}${isNow ? ' ladder-now' : ''}`}>
      <span className="ladder-step-head">
        {step.reached && <CheckOutlined aria-label={t('critical.told')} />}
        <strong>{t(`critical.step.${stepOf(step.step)}`)}</strong>
        <span className={late ? 'danger small' : 'quiet small'}>
          {step.reached && formatClock(step.due_at)}
          {late && t('critical.stepLate', { time: formatClock(step.due_at) })}
          {!step.reached && !late && t('critical.stepIn', { time: formatDuration(language, left) })}
        </span>
      </span>
      {people.length === 0 ? (
        <span className="quiet small">{t('critical.nobodyNamed')}</span>
      ) : (
        people.map((one) => (
          <span key={`${one.name} ${one.phone}`} className="small">
            {one.name} <span className="quiet">{one.role}</span> <a href={`tel:${one.phone}`}>{one.phone}</a>
          </span>
        ))
      )}
    </li>
  );
}
