import { Button, Skeleton } from 'antd';
import { useState } from 'react';

import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import type { PanelProps } from '../reading/panel';
import { ApplyForm } from './ApplyForm';
import { ConsultationView } from './ConsultationView';
import { useConsultationsOf } from './queries';
import { useSession } from '../session/session';
import { ExamShares } from '../shares/ExamShares';
import '../critical/critical.css';
import '../phone/phone.css';
import '../retakes/retakes.css';
import './consultations.css';

const APPLICANTS = ['writer', 'reviewer', 'site_doctor'];

/** The consultations about the exam that is read. */
export function ConsultationPanel({ item }: PanelProps) {
  return <ExamConsultations workitem={item.id} />;
}

/** The consultations about one exam, and the way to ask for one; for the centre and for the site. */
export function ExamConsultations({ workitem }: { workitem: string }) {
  const { t } = useLanguage();
  const { data: session } = useSession();
  const found = useConsultationsOf(workitem);
  const [asking, setAsking] = useState(false);
  if (found.isError) return <ProblemNotice error={found.error} onRetry={() => void found.refetch()} />;
  if (found.data === undefined) return <Skeleton active paragraph={{ rows: 2 }} />;
  const may = session?.roles.some((role) => APPLICANTS.includes(role)) ?? false;
  return (
    <div className="critical-panel panel-consultation">
      {found.data.items.map((one) => (
        <ConsultationView key={one.id} id={one.id} compact />
      ))}
      {found.data.items.length === 0 && !asking && <p className="quiet">{t('consult.panel.none')}</p>}
      {may &&
        (asking ? (
          <ApplyForm workitem={workitem} onApplied={() => setAsking(false)} />
        ) : (
          <Button onClick={() => setAsking(true)}>{t('consult.panel.ask')}</Button>
        ))}
      {may && <ExamShares workitem={workitem} />}
    </div>
  );
}
