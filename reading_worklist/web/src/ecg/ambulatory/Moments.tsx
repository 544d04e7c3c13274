import { Button } from 'antd';

import type { Ambulatory, EcgOverview } from '../../api/types';
import { useLanguage } from '../../i18n/language';
import { clockOf } from './moment';

interface MomentsProps {
  facts: Ambulatory;
  overview: EcgOverview | undefined;
  onMoment: (seconds: number) => void;
}

const LONGEST_SHOWN = 8;

/** Where to look: the marks of the file, and the longest RR that the program found. */
export function Moments({ facts, overview, onMoment }: MomentsProps) {
  const { t } = useLanguage();
  return (
    <div className="long-moments">
      <section>
        <h3>{t('ambulatory.events', { n: facts.events.length })}</h3>
        {facts.events.length === 0 ? (
          <p>{t('ambulatory.events.none')}</p>
        ) : (
          <ul>
            {facts.events.map((event, index) => (
              <li key={index}>
                <Button size="small" onClick={() => onMoment(event.seconds)}>
                  {clockOf(event.seconds, facts.started_at)} {event.text}
                </Button>
              </li>
            ))}
          </ul>
        )}
      </section>
      {overview !== undefined && (
        <section>
          <h3 title={t('ambulatory.found.hint')}>{t('ambulatory.longestRr')}</h3>
          <ul>
            {overview.longest_rr.slice(0, LONGEST_SHOWN).map((one) => (
              <li key={one.seconds}>
                <Button size="small" onClick={() => onMoment(one.seconds)}>
                  {clockOf(one.seconds, facts.started_at)}{' '}
                  <strong>{t('ambulatory.seconds', { n: (one.rr_ms / 1000).toFixed(2) })}</strong>
                </Button>
              </li>
            ))}
          </ul>
          <p>
            {t('ambulatory.found', { n: overview.beats })}
            {overview.without_signal_seconds >= 1 &&
              ` · ${t('ambulatory.withoutSignal', { n: (overview.without_signal_seconds / 60).toFixed(1) })}`}
          </p>
        </section>
      )}
    </div>
  );
}
