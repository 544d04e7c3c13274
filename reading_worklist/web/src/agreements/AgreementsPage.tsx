import { Segmented } from 'antd';
import { useSearchParams } from 'react-router';

import { useLanguage } from '../i18n/language';
import { BranchesTab } from './BranchesTab';
import { MarksTab } from './MarksTab';
import { ServicesTab } from './ServicesTab';
import { SingleTab } from './SingleTab';
import '../rules/rules.css';
import './agreements.css';

const TABS = ['services', 'marks', 'branches', 'single'] as const;

/** What organisations do for each other, whose exams are recognised, where they stand, and when one signature is enough. */
export function AgreementsPage() {
  const { t } = useLanguage();
  const [parameters, setParameters] = useSearchParams();
  const tab = TABS.find((each) => each === parameters.get('tab')) ?? 'services';
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('agreements.title')}</h1>
        <Segmented
          aria-label={t('agreements.title')}
          value={tab}
          options={TABS.map((each) => ({ value: each, label: t(`agreements.tab.${each}`) }))}
          onChange={(chosen) => setParameters(chosen === 'services' ? {} : { tab: chosen }, { replace: true })}
        />
      </div>
      {tab === 'services' && <ServicesTab />}
      {tab === 'marks' && <MarksTab />}
      {tab === 'branches' && <BranchesTab />}
      {tab === 'single' && <SingleTab />}
    </div>
  );
}
