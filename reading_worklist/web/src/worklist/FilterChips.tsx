import { CloseOutlined } from '@ant-design/icons';

import type { ReadingGroup, Site } from '../api/types';
import { isPlainKey } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { type Filters, type Narrowing, narrowingsOf, STANDARD } from './filters';

interface FilterChipsProps {
  filters: Filters;
  sites: readonly Site[];
  groups: readonly ReadingGroup[];
  onChange: (part: Partial<Filters>) => void;
  onSave: () => void;
}

/** Everything that narrows the list, each taken away by one press. Draws nothing where nothing does. */
export function FilterChips({ filters, sites, groups, onChange, onSave }: FilterChipsProps) {
  const { t } = useLanguage();
  const words = useWords(sites, groups);
  const narrowings = narrowingsOf(filters);
  if (narrowings.length === 0) return null;
  return (
    <div className="filter-chips" role="group" aria-label={t('worklist.narrowedBy')}>
      {narrowings.map((one) => {
        const text = words(one);
        return (
          <button
            key={`${one.kind}:${one.value}`}
            type="button"
            className="filter-chip"
            aria-label={t('worklist.removeFilter', { filter: text })}
            title={t('worklist.removeFilter', { filter: text })}
            onClick={() => onChange(one.without)}
          >
            <span>{text}</span>
            <CloseOutlined />
          </button>
        );
      })}
      <button
        type="button"
        className="link-button"
        onClick={() => onChange({ ...STANDARD, tab: filters.tab, sort: filters.sort })}
      >
        {t('app.clearFilters')}
      </button>
      <button type="button" className="link-button" onClick={onSave}>
        {t('views.save')}
      </button>
    </div>
  );
}

function useWords(sites: readonly Site[], groups: readonly ReadingGroup[]): (one: Narrowing) => string {
  const { t, language } = useLanguage();
  const named = (key: string, value: string): string => (isPlainKey(key) ? t(key) : value);
  return ({ kind, value }) => {
    switch (kind) {
      case 'lane':
        return named(`lane.${value}`, value);
      case 'whose':
        return named(`worklist.whose.${value}`, value);
      case 'priority':
        return named(`priority.${value}`, value);
      case 'part':
        return named(`worklist.part.${value}`, value);
      case 'flag':
        return named(`worklist.flag.${value}`, value);
      case 'period':
        return named(`worklist.period.${value}`, value.includes('…') ? value : t('worklist.period.days', { n: value }));
      case 'site': {
        const site = sites.find((each) => each.code === value);
        return site === undefined ? value : siteName(language, site);
      }
      case 'group': {
        const group = groups.find((each) => each.code === value);
        return group === undefined ? value : siteName(language, group);
      }
      case 'text':
        return t('worklist.searchedFor', { text: value });
      case 'modality':
        return value;
    }
  };
}
