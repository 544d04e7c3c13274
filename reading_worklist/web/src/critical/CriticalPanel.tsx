import { Button, Skeleton } from 'antd';
import { useState } from 'react';

import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import type { PanelProps } from '../reading/panel';
import { useSession } from '../session/session';
import { CriticalView } from './CriticalView';
import { useCriticalOf } from './queries';
import { RaiseForm } from './RaiseForm';
import '../phone/phone.css';
import './critical.css';

const FINDERS = ['writer', 'reviewer'];

/** The critical values of the exam that is read, and the way to a new one. */
export function CriticalPanel({ item }: PanelProps) {
  const { t } = useLanguage();
  const { data: session } = useSession();
  const values = useCriticalOf(item.id);
  const [adding, setAdding] = useState(false);
  if (values.isError) return <ProblemNotice error={values.error} onRetry={() => void values.refetch()} />;
  if (values.data === undefined) return <Skeleton active />;
  const { items } = values.data;
  const mayRaise = session?.roles.some((role) => FINDERS.includes(role)) ?? false;
  return (
    <div className="critical-panel panel-critical">
      {items.map((one) => (
        <CriticalView key={one.id} id={one.id} compact />
      ))}
      {items.length === 0 && !mayRaise && <p className="quiet">{t('critical.panel.none')}</p>}
      {mayRaise && (items.length === 0 || adding) && (
        <RaiseForm workitem={item.id} lane={item.lane} onRaised={() => setAdding(false)} />
      )}
      {mayRaise && items.length > 0 && !adding && (
        <Button onClick={() => setAdding(true)}>{t('critical.panel.another')}</Button>
      )}
    </div>
  );
}
