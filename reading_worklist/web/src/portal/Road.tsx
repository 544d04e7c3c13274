import type { Exam } from '../api/types';
import { useMinute } from '../design/clock';
import { formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { reachedStep, ROAD } from './road';
import './road.css';

/** Where an exam is on its road: a small line of steps and the word for the last one. */
export function Road({ exam }: { exam: Exam }) {
  const { t } = useLanguage();
  const now = useMinute();
  const reached = reachedStep(exam.steps);
  const [name, member] = ROAD[reached] ?? ROAD[0];
  const at = exam.steps[member];
  return (
    <div className="road">
      <div
        className="road-line"
        role="img"
        aria-label={t('road.step', { n: reached + 1, total: ROAD.length, word: t(`road.${name}`) })}
      >
        {ROAD.map(([step], index) => (
          <span key={step} className={index <= reached ? 'road-passed' : 'road-ahead'} title={t(`road.${step}`)} />
        ))}
      </div>
      <span className={`road-word road-word-${name}`}>{t(`road.${name}`)}</span>
      <span className="quiet">{at === null ? '' : formatShortTime(at, now)}</span>
    </div>
  );
}
