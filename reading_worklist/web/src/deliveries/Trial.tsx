import type { Destination } from '../api/types';
import { Chip, type Tone } from '../design/Chip';
import { useMinute } from '../design/clock';
import { formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';

type Finding = NonNullable<NonNullable<Destination['trial']>['finding']>;

const TONES: Record<Finding, Tone> = {
  works: 'green',
  reached: 'green',
  unreachable: 'red',
  no_answer: 'red',
  not_known: 'red',
  not_taken: 'red',
  their_error: 'amber',
  not_secured: 'red',
  not_allowed: 'red',
  not_set_up: 'red',
};

/** What came of the last trial of a destination, and what to do about it. */
export function Trial({ destination: { kind, trial } }: { destination: Destination }) {
  const { t } = useLanguage();
  const now = useMinute();
  if (trial === null) return <span className="quiet">{t('trial.none')}</span>;
  if (trial.is_running) return <Chip tone="blue">{t('trial.running')}</Chip>;
  if (trial.finding === null || trial.ended_at === null) {
    return (
      <>
        <Chip tone="amber">{t('trial.nobody')}</Chip>
        <div className="quiet small">{t('trial.nobody.remedy')}</div>
      </>
    );
  }
  const { finding } = trial;
  const isGood = TONES[finding] === 'green';
  return (
    <>
      <Chip tone={TONES[finding]}>{t(`trial.${finding}`)}</Chip>{' '}
      <span className="quiet small">{formatShortTime(trial.ended_at, now)}</span>
      {finding !== 'works' && (
        <div className="small">
          {finding === 'reached' && kind === 'hl7' ? t('trial.reached.hl7') : t(`trial.${finding}.remedy`)}
        </div>
      )}
      {!isGood && trial.said !== '' && <div className="quiet small trial-said">{trial.said}</div>}
    </>
  );
}
