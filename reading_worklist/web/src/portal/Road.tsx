import type { Exam } from '../api/types';
import { Chip } from '../design/Chip';
import { useMinute, useSecond } from '../design/clock';
import { formatDuration, formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { FIRST_CONTACT_TO_ECG, reachedStop, ROAD, sinceFirstContact, stepSince } from './road';
import './road.css';

/** Where an exam is on its road: a line of stops, the word for its step, and what is wrong with it. */
export function Road({ exam }: { exam: Exam }) {
  const { t } = useLanguage();
  const now = useMinute();
  const reached = reachedStop(exam.step);
  const since = stepSince(exam);
  return (
    <div className="road">
      <div
        className="road-line"
        role="img"
        aria-label={t('road.step', { n: reached + 1, total: ROAD.length, word: t(`road.step.${exam.step}`) })}
      >
        {ROAD.map(([stop], index) => (
          <span key={stop} className={roadClass(index, reached, exam.step === 'receiving')} title={t(`road.${stop}`)} />
        ))}
      </div>
      <span className={`road-word road-word-${exam.step}`}>{t(`road.step.${exam.step}`)}</span>
      <Received exam={exam} />
      <span className="quiet">{since === null ? '' : formatShortTime(since, now)}</span>
      <Attention exam={exam} />
      <FirstContact exam={exam} />
    </div>
  );
}

function roadClass(index: number, reached: number, receiving: boolean): string {
  if (index <= reached) return 'road-passed';
  return receiving && index === reached + 1 ? 'road-now' : 'road-ahead';
}

/** How many instances are here, of how many: while they come, and when some are missing. */
function Received({ exam }: { exam: Exam }) {
  const { t } = useLanguage();
  const { instance_count: n, expected_count: total, missing_count: missing } = exam.study;
  if (exam.step !== 'receiving' && missing === 0) return null;
  return <span>{total === null ? t('road.received.some', { n }) : t('road.received.of', { n, total })}</span>;
}

/** What the site has to look at, in a word. */
export function Attention({ exam }: { exam: Exam }) {
  const { t } = useLanguage();
  return (
    <>
      {exam.critical && <Chip tone="red">{t('road.critical')}</Chip>}
      {exam.attention !== null && (
        <Chip tone={exam.attention === 'incomplete' ? 'amber' : 'red'}>{t(`road.attention.${exam.attention}`)}</Chip>
      )}
    </>
  );
}

/** The clock of chest pain: from first medical contact to the ECG. */
export function FirstContact({ exam }: { exam: Exam }) {
  return exam.first_contact_at === null || exam.lane !== 'ecg' ? null : <RunningContact exam={exam} />;
}

function RunningContact({ exam }: { exam: Exam }) {
  const { t, language } = useLanguage();
  const now = useSecond();
  const clock = sinceFirstContact(exam, now);
  if (clock === null) return null;
  const level = clock.taken > FIRST_CONTACT_TO_ECG ? 'overdue' : clock.done ? 'calm' : 'soon';
  return (
    <span className={`due due-${level}`} title={t('road.contact.limit')}>
      {t(clock.done ? 'road.contact.done' : 'road.contact.running', { time: formatDuration(language, clock.taken) })}
    </span>
  );
}
