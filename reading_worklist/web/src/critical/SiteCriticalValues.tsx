import { useLanguage } from '../i18n/language';
import { CriticalView } from './CriticalView';
import { useCriticalOf, useOpenCriticalValues } from './queries';
import '../phone/phone.css';
import './critical.css';

/** What a site was told and has not answered or acted on yet, to be answered on the spot. Nothing where nothing is. */
export function SiteCriticalValues() {
  const { t } = useLanguage();
  const { data } = useOpenCriticalValues(true);
  const waiting = data?.items.filter((one) => one.state !== 'ACTIONED') ?? [];
  if (waiting.length === 0) return null;
  return (
    <section className="site-critical" aria-label={t('critical.title')}>
      {waiting.map((one) => (
        <CriticalView key={one.id} id={one.id} brief />
      ))}
    </section>
  );
}

/** The critical values of one exam of the site, also those that are closed. */
export function ExamCriticalValues({ workitem }: { workitem: string }) {
  const { t } = useLanguage();
  const { data } = useCriticalOf(workitem);
  if (data === undefined || data.items.length === 0) return null;
  return (
    <section className="site-critical" aria-label={t('critical.title')}>
      {data.items.map((one) => (
        <CriticalView key={one.id} id={one.id} compact />
      ))}
    </section>
  );
}
