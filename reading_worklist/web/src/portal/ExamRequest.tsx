import type { ExamDetail } from '../api/types';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';

/** What was asked for: only what somebody has entered. */
export function ExamRequest({ exam }: { exam: ExamDetail }) {
  const { t } = useLanguage();
  const { study } = exam;
  const side = study.laterality === null || study.laterality === 'U' ? null : t(`orders.side.${study.laterality}`);
  const facts = [
    [t('orders.form.priorityReason'), exam.priority_reason && t(`orders.why.${exam.priority_reason}`)],
    [t('orders.form.firstContact'), exam.first_contact_at && formatDateTime(exam.first_contact_at)],
    [t('orders.form.bodyPart'), [study.body_part, side].filter(Boolean).join(' · ')],
    [t('orders.form.contrast'), study.contrast && t(`orders.contrast.${study.contrast}`)],
    [t('orders.form.department'), exam.department],
    [t('orders.form.requester'), exam.requester],
    [t('orders.form.diagnosis'), exam.clinical_diagnosis],
    [t('orders.form.reason'), exam.reason],
  ].filter(([, value]) => value !== null && value !== '');
  if (facts.length === 0) return null;
  return (
    <section aria-label={t('portal.request')}>
      <h2>{t('portal.request')}</h2>
      <dl className="portal-facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
