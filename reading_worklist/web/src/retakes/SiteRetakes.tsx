import { useLanguage } from '../i18n/language';
import { useRetakesOf } from './queries';
import { RetakeView } from './RetakeView';

/** The retakes of one exam of the site. */
export function ExamRetakes({ workitem }: { workitem: string }) {
  const { t } = useLanguage();
  const { data } = useRetakesOf(workitem);
  if (data === undefined || data.items.length === 0) return null;
  return (
    <section className="site-critical" aria-label={t('retake.title')}>
      {data.items.map((one) => (
        <RetakeView key={one.id} id={one.id} compact />
      ))}
    </section>
  );
}
