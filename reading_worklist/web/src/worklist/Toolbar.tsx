import { QuestionCircleOutlined, ReloadOutlined, SearchOutlined } from '@ant-design/icons';
import { Button, Checkbox, Input, type InputRef, Segmented, Select, Tooltip } from 'antd';
import { type Ref, useEffect, useImperativeHandle, useRef, useState } from 'react';

import type { Site, State } from '../api/types';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { countOf, type Filters, TABS, type Tab } from './filters';

const SEARCH_DELAY = 300;

export interface ToolbarHandle {
  focusSearch: () => void;
}

interface ToolbarProps {
  ref: Ref<ToolbarHandle>;
  filters: Filters;
  counts: Partial<Record<State, number>> | undefined;
  sites: readonly Site[];
  refreshing: boolean;
  onChange: (part: Partial<Filters>) => void;
  onRefresh: () => void;
  onHelp: () => void;
}

export function Toolbar({ ref, filters, counts, sites, refreshing, onChange, onRefresh, onHelp }: ToolbarProps) {
  const { t, language } = useLanguage();
  return (
    <div className="toolbar">
      <StateTabs active={filters.tab} counts={counts} onChoose={(tab) => onChange({ tab })} />
      <div className="toolbar-filters">
        <Segmented
          aria-label={t('worklist.lane')}
          value={filters.lane ?? 'all'}
          options={[
            { value: 'all', label: t('worklist.lane.all') },
            { value: 'imaging', label: t('lane.imaging') },
            { value: 'ecg', label: t('lane.ecg') },
          ]}
          onChange={(lane) => onChange({ lane: lane === 'imaging' || lane === 'ecg' ? lane : null })}
        />
        <Select
          aria-label={t('worklist.site')}
          className="toolbar-site"
          value={filters.site ?? ''}
          options={[
            { value: '', label: t('worklist.site.all') },
            ...sites.map((site) => ({ value: site.code, label: siteName(language, site) })),
          ]}
          onChange={(site) => onChange({ site: site === '' ? null : site })}
        />
        <Checkbox checked={filters.mine} onChange={(event) => onChange({ mine: event.target.checked })}>
          {t('worklist.mine')}
        </Checkbox>
        <span className="toolbar-space" />
        <SearchBox ref={ref} text={filters.text} onSearch={(text) => onChange({ text })} />
        <Tooltip title={t('app.refresh')}>
          <Button aria-label={t('app.refresh')} icon={<ReloadOutlined spin={refreshing} />} onClick={onRefresh} />
        </Tooltip>
        <Tooltip title={t('keys.title')}>
          <Button aria-label={t('keys.title')} icon={<QuestionCircleOutlined />} onClick={onHelp} />
        </Tooltip>
      </div>
    </div>
  );
}

function StateTabs({
  active,
  counts,
  onChoose,
}: {
  active: Tab;
  counts: ToolbarProps['counts'];
  onChoose: (tab: Tab) => void;
}) {
  const { t } = useLanguage();
  return (
    <div className="state-tabs" role="group" aria-label={t('worklist.tabs')}>
      {TABS.map((tab) => {
        const count = counts === undefined ? null : countOf(tab, counts);
        const calling = tab === 'RETURNED' && count !== null && count > 0;
        return (
          <button
            key={tab}
            type="button"
            aria-pressed={tab === active}
            className={`state-tab${calling ? ' state-tab-calling' : ''}`}
            onClick={() => onChoose(tab)}
          >
            {tab === 'open' || tab === 'done' ? t(`worklist.tab.${tab}`) : t(`state.${tab}`)}
            <span className="state-tab-count">{count ?? t('app.none')}</span>
          </button>
        );
      })}
    </div>
  );
}

function SearchBox({
  ref,
  text,
  onSearch,
}: {
  ref: Ref<ToolbarHandle>;
  text: string;
  onSearch: (text: string) => void;
}) {
  const { t } = useLanguage();
  const [typed, setTyped] = useState(text);
  const [known, setKnown] = useState(text);
  const input = useRef<InputRef>(null);
  useImperativeHandle(ref, () => ({ focusSearch: () => input.current?.focus({ cursor: 'all' }) }), []);

  // The address may change from outside (back button, cleared filters); typing wins until then.
  if (text !== known) {
    setKnown(text);
    setTyped(text);
  }
  useEffect(() => {
    const wanted = typed.trim();
    if (wanted === text) return undefined;
    const timer = setTimeout(() => onSearch(wanted), SEARCH_DELAY);
    return () => clearTimeout(timer);
  }, [typed, text, onSearch]);

  return (
    <Input
      ref={input}
      className="toolbar-search"
      aria-label={t('worklist.search')}
      placeholder={t('worklist.searchHint')}
      prefix={<SearchOutlined />}
      allowClear
      maxLength={100}
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onSearch(typed.trim());
        if (event.key === 'Escape' || event.key === 'Enter') event.currentTarget.blur();
      }}
    />
  );
}
