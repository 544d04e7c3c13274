import type { State } from '../api/types';
import { useLanguage } from '../i18n/language';
import { beyondCount, countOf, type Filters, TABS, type Tab } from './filters';

interface StateTabsProps {
  /** null while a kept view is shown. */
  active: Tab | null;
  counts: Partial<Record<State, number>> | undefined;
  /** Above some number not all is counted to its end. */
  exact: boolean;
  filters: Filters;
  onChoose: (tab: Tab) => void;
}

/** The list by state, with how much of what is asked for is in each. */
export function StateTabs({ active, counts, exact, filters, onChoose }: StateTabsProps) {
  const { t } = useLanguage();
  return (
    <div className="state-tabs" role="group" aria-label={t('worklist.tabs')}>
      {TABS.map((tab) => {
        const count = counts === undefined ? null : countOf(tab, counts);
        const calling = tab === 'RETURNED' && count !== null && count > 0;
        const more = count === 0 ? '' : beyondCount(tab, filters, exact);
        return (
          <button
            key={tab}
            type="button"
            aria-pressed={tab === active}
            className={`state-tab${calling ? ' state-tab-calling' : ''}`}
            onClick={() => onChoose(tab)}
          >
            {tab === 'open' || tab === 'done' ? t(`worklist.tab.${tab}`) : t(`state.${tab}`)}
            <span className="state-tab-count">{count === null ? t('app.none') : `${count}${more}`}</span>
          </button>
        );
      })}
    </div>
  );
}
