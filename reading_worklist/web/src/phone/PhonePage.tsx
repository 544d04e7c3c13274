import { Segmented } from 'antd';
import { useSearchParams } from 'react-router';

import { useLanguage } from '../i18n/language';
import { useSession } from '../session/session';
import { ClocksTab } from './ClocksTab';
import { ContactsTab } from './ContactsTab';
import { RingTab } from './RingTab';
import './phone.css';

const TABS = ['ring', 'contacts', 'clocks'] as const;
type Tab = (typeof TABS)[number];

const MAY: Record<Tab, readonly string[]> = {
  ring: ['writer', 'reviewer', 'dispatcher'],
  contacts: ['dispatcher', 'consortium_admin', 'site_doctor'],
  clocks: ['consortium_admin', 'dispatcher'],
};

/** Whom to ring now because a site does not answer; and the list of numbers, and the times, behind it. */
export function PhonePage() {
  const { t } = useLanguage();
  const { data: session } = useSession();
  const [parameters, setParameters] = useSearchParams();
  const tabs = TABS.filter((tab) => session?.roles.some((role) => MAY[tab].includes(role)));
  const tab = tabs.find((each) => each === parameters.get('tab')) ?? tabs[0];
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('phone.title')}</h1>
        {tabs.length > 1 && tab !== undefined && (
          <Segmented
            aria-label={t('phone.title')}
            value={tab}
            options={tabs.map((each) => ({ value: each, label: t(`phone.tab.${each}`) }))}
            onChange={(chosen) => setParameters(chosen === tabs[0] ? {} : { tab: chosen }, { replace: true })}
          />
        )}
      </div>
      {tab === 'ring' && <RingTab />}
      {tab === 'contacts' && <ContactsTab />}
      {tab === 'clocks' && <ClocksTab />}
    </div>
  );
}
