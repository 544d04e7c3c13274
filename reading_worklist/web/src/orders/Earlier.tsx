import { Link } from 'react-router';

import type { EarlierExam } from '../api/types';
import { useMinute } from '../design/clock';
import { formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { useEarlierExams } from './queries';

interface EarlierProps {
  patient: string;
  modality: string;
  bodyPart: string;
}

/** How many exams of the same kind the patient has today already. */
export function useDuplicates({ patient, modality, bodyPart }: EarlierProps): number {
  return useEarlierExams(patient, modality, bodyPart).data?.today.length ?? 0;
}

/** What the patient has had of the kind: today's as a warning, reports of the last weeks for information. */
export function Earlier({ patient, modality, bodyPart }: EarlierProps) {
  const { t } = useLanguage();
  const { data } = useEarlierExams(patient, modality, bodyPart);
  if (data === undefined) return null;
  return (
    <>
      {data.today.length > 0 && (
        <div className="notice order-duplicate" role="alert">
          <p className="notice-title">{t('orders.today.title')}</p>
          <Exams exams={data.today} />
        </div>
      )}
      {data.recent.length > 0 && (
        <div className="notice">
          <p className="notice-title">{t('orders.recent.title')}</p>
          <Exams exams={data.recent} />
        </div>
      )}
    </>
  );
}

function Exams({ exams }: { exams: readonly EarlierExam[] }) {
  const { t } = useLanguage();
  const now = useMinute();
  return (
    <ul>
      {exams.map((exam) => (
        <li key={exam.order_id}>
          <Link to={`/portal/${exam.workitem_id ?? exam.order_id}`} target="_blank">
            {t('orders.earlier.one', {
              time: formatShortTime(exam.requested_at, now),
              name: exam.description ?? exam.modality,
              number: exam.accession_number ?? t('app.none'),
            })}
          </Link>{' '}
          {t(`orders.state.${exam.state}`)}
        </li>
      ))}
    </ul>
  );
}
