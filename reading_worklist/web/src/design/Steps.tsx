import type { DeliveryState, DeliveryStep } from '../api/types';
import type { PlainKey } from '../i18n/catalogue';
import { deliveryError } from '../i18n/deliveryError';
import { formatDuration, formatExactTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { DeliveryChip } from './Chip';
import './steps.css';

/** Named steps in order; those without a time are still to come. */
export function Steps({ times }: { times: readonly (readonly [PlainKey, string | null])[] }) {
  const { t, language } = useLanguage();
  const reached = times.map(([, at]) => at).filter((at) => at !== null);
  return (
    <ol className="timeline">
      {times.map(([name, at]) => {
        const before = at === null ? undefined : reached[reached.indexOf(at) - 1];
        const took = at === null || before === undefined ? null : Date.parse(at) - Date.parse(before);
        return (
          <li key={name} className={at === null ? 'timeline-ahead' : undefined}>
            <span className="timeline-name">{t(name)}</span>
            <span className="timeline-took">{took !== null && took > 0 && `+${formatDuration(language, took)}`}</span>
            <time {...(at === null ? {} : { dateTime: at })}>{at === null ? t('app.none') : formatExactTime(at)}</time>
          </li>
        );
      })}
    </ol>
  );
}

/** How a report travels to each destination of its site. */
export function DeliverySteps({ deliveries }: { deliveries: readonly DeliveryStep[] }) {
  const { t, language } = useLanguage();
  return deliveries.map((delivery) => (
    <div key={delivery.id} className="delivery-step">
      <DeliveryChip state={delivery.state as DeliveryState} />
      <span className="delivery-destination">{delivery.destination}</span>
      <span>{t('timeline.attempts', { n: delivery.attempts })}</span>
      {delivery.last_error !== null && <p className="delivery-error">{deliveryError(language, delivery.last_error)}</p>}
    </div>
  ));
}
