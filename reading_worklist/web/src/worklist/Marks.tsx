import type { WorklistLine } from '../api/types';
import { useLanguage } from '../i18n/language';

type Tone = 'red' | 'amber' | 'blue';

/** What goes on beside a reading, each as one letter with its meaning in words. */
export function Marks({ item }: { item: WorklistLine }) {
  const { t } = useLanguage();
  const marks: [key: string, tone: Tone, short: string, meaning: string][] = [];
  if (item.critical_value !== null) {
    const state = t(`worklist.critical.${item.critical_value}`);
    marks.push(['critical', 'red', t('worklist.mark.critical'), t('worklist.mark.critical.title', { state })]);
  }
  if (item.ecg?.repeat === true) {
    marks.push(['ecg-repeat', 'amber', t('worklist.mark.ecgRepeat'), t('worklist.mark.ecgRepeat.title')]);
  }
  if (item.ecg?.failed === true) marks.push(['ecg-failed', 'amber', '?', t('worklist.mark.ecgFailed.title')]);
  if (item.retake !== null) {
    marks.push(['retake', 'amber', t('worklist.mark.retake'), t('worklist.mark.retake.title')]);
  }
  if (item.consultation !== null) {
    const answered = item.consultation === 'OPINION_SIGNED';
    marks.push([
      'consultation',
      'blue',
      t('worklist.mark.consultation'),
      t(answered ? 'worklist.mark.consultation.answered' : 'worklist.mark.consultation.title'),
    ]);
  }
  if (item.preliminary_stands) {
    marks.push(['preliminary', 'amber', t('worklist.mark.preliminary'), t('worklist.mark.preliminary.title')]);
  }
  if (item.late_instances) marks.push(['late', 'amber', '+', t('worklist.late')]);
  if (item.quality_warnings > 0) {
    marks.push(['quality', 'amber', '!', t('worklist.qualityWarnings', { n: item.quality_warnings })]);
  }
  if (item.escalated_at !== null) marks.push(['escalated', 'red', '↑', t('worklist.escalated')]);
  return (
    <span className="row-marks">
      {marks.map(([key, tone, short, meaning]) => (
        <abbr key={key} className={`row-mark row-mark-${tone}`} title={meaning}>
          {short}
        </abbr>
      ))}
    </span>
  );
}
