import { Segmented } from 'antd';
import { useSearchParams } from 'react-router';

import { useLanguage } from '../i18n/language';
import { SnippetsTab } from './SnippetsTab';
import { TemplatesTab } from './TemplatesTab';
import './templates.css';

const TABS = ['templates', 'snippets'] as const;

/** What doctors begin a report with, and who keeps it. */
export function TemplatesPage() {
  const { t } = useLanguage();
  const [parameters, setParameters] = useSearchParams();
  const tab = TABS.find((each) => each === parameters.get('tab')) ?? 'templates';
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('templates.title')}</h1>
        <Segmented
          aria-label={t('templates.title')}
          value={tab}
          options={TABS.map((each) => ({ value: each, label: t(`templates.tab.${each}`) }))}
          onChange={(chosen) => setParameters(chosen === 'templates' ? {} : { tab: chosen }, { replace: true })}
        />
      </div>
      {tab === 'templates' ? <TemplatesTab /> : <SnippetsTab />}
    </div>
  );
}
