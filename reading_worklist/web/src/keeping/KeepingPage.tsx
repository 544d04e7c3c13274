import { Segmented } from 'antd';
import { useSearchParams } from 'react-router';

import { useLanguage } from '../i18n/language';
import { useSession } from '../session/session';
import { CopyTab } from './CopyTab';
import { DueTab } from './DueTab';
import { HoldsTab } from './HoldsTab';
import { PurgesTab } from './PurgesTab';
import { RulesTab } from './RulesTab';
import { UsageTab } from './UsageTab';
import './keeping.css';

const TABS = ['usage', 'rules', 'due', 'purges', 'holds', 'copy'] as const;
const HANDS_OUT = 'consortium_admin';

/** How much is kept for whom, and what need not be kept any more. */
export function KeepingPage() {
  const { t } = useLanguage();
  const [parameters, setParameters] = useSearchParams();
  const { data: session } = useSession();
  const tabs = TABS.filter((each) => each !== 'copy' || (session?.roles.includes(HANDS_OUT) ?? false));
  const tab = tabs.find((each) => each === parameters.get('tab')) ?? 'usage';
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('keeping.title')}</h1>
        <Segmented
          aria-label={t('keeping.title')}
          value={tab}
          options={tabs.map((each) => ({ value: each, label: t(`keeping.tab.${each}`) }))}
          onChange={(chosen) => setParameters(chosen === 'usage' ? {} : { tab: chosen }, { replace: true })}
        />
      </div>
      {tab === 'usage' && <UsageTab />}
      {tab === 'rules' && <RulesTab />}
      {tab === 'due' && <DueTab />}
      {tab === 'purges' && <PurgesTab />}
      {tab === 'holds' && <HoldsTab />}
      {tab === 'copy' && <CopyTab />}
    </div>
  );
}
