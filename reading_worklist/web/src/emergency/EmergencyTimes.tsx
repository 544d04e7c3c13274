import { WarningOutlined } from '@ant-design/icons';

import type { EmergencyMoment } from '../api/types';
import { useMinute } from '../design/clock';
import { ProblemNotice } from '../design/Notice';
import { formatDuration, formatExactTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { useEmergencyTimes } from './queries';
import './emergency.css';

/** The steps of an emergency ECG with their clocks, and whether its limits were kept. */
export function EmergencyTimes({ id, enabled }: { id: string; enabled: boolean }) {
  const { t, language } = useLanguage();
  const now = useMinute();
  const times = useEmergencyTimes(id, enabled);
  if (!enabled) return null;
  if (times.isError) return <ProblemNotice error={times.error} onRetry={() => void times.refetch()} />;
  if (times.data === undefined) return null;
  const { data } = times;
  const span = (seconds: number): string => formatDuration(language, seconds * 1000);
  const late = data.diagnosis_in_time === false || Date.parse(data.diagnosis_due_at) < now;
  return (
    <section className="emergency-times" aria-labelledby={`emergency-${id}`}>
      <h2 id={`emergency-${id}`}>{t(data.chest_pain ? 'emergency.times.chestPain' : 'emergency.times.stat')}</h2>
      <ol>
        {data.moments.map((one) => (
          <Step key={one.step} moment={one} />
        ))}
      </ol>
      <dl>
        {data.chest_pain && (
          <div>
            <dt>{t('emergency.interval.contact', { limit: span(data.contact_to_ecg_limit_seconds) })}</dt>
            <dd
              className={
                data.contact_to_ecg_seconds !== null && data.contact_to_ecg_seconds > data.contact_to_ecg_limit_seconds
                  ? 'emergency-late'
                  : undefined
              }
            >
              {data.contact_to_ecg_seconds === null ? t('emergency.unknown') : span(data.contact_to_ecg_seconds)}
            </dd>
          </div>
        )}
        <div>
          <dt>{t('emergency.interval.diagnosis', { limit: span(data.ecg_to_diagnosis_limit_seconds) })}</dt>
          <dd className={late && data.diagnosis_in_time !== true ? 'emergency-late' : undefined}>
            {data.ecg_to_diagnosis_seconds === null ? t('emergency.notYet') : span(data.ecg_to_diagnosis_seconds)}
          </dd>
        </div>
      </dl>
    </section>
  );
}

function Step({ moment }: { moment: EmergencyMoment }) {
  const { t } = useLanguage();
  const missing = moment.clock === 'server' ? 'emergency.notYet' : 'emergency.notRecorded';
  return (
    <li className={moment.at === null ? 'emergency-open' : undefined}>
      <span>{t(`emergency.step.${moment.step}`)}</span>
      <time dateTime={moment.at ?? undefined}>{moment.at === null ? t(missing) : formatExactTime(moment.at)}</time>
      {moment.clock !== 'server' && <small>{t(`emergency.clock.${moment.clock}`)}</small>}
      {moment.doubt !== null && (
        <small className="emergency-doubt">
          <WarningOutlined /> {t(`emergency.doubt.${moment.doubt}`)}
        </small>
      )}
    </li>
  );
}
