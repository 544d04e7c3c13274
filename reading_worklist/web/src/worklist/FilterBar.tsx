import { FilterOutlined, ReloadOutlined, SearchOutlined } from '@ant-design/icons';
import { Badge, Button, Checkbox, Input, type InputRef, Popover, Segmented, Select, Tooltip } from 'antd';
import { type ReactNode, type Ref, useEffect, useImperativeHandle, useRef, useState } from 'react';

import type { ReadingGroup, Site } from '../api/types';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { BODY_PART_NAMES, type Filters, MODALITIES, narrowingsOf, PERIODS, PRIORITIES, WHOSE } from './filters';

const SEARCH_DELAY = 300;

export interface FilterBarHandle {
  focusSearch: () => void;
}

interface FilterBarProps {
  ref: Ref<FilterBarHandle>;
  filters: Filters;
  sites: readonly Site[];
  groups: readonly ReadingGroup[];
  refreshing: boolean;
  moreOpen: boolean;
  onMoreOpen: (open: boolean) => void;
  onChange: (part: Partial<Filters>) => void;
  onRefresh: () => void;
  children: ReactNode;
}

/** What is asked of the list. The usual questions stand in the bar, the rest behind one button. */
export function FilterBar(props: FilterBarProps) {
  const { ref, filters, sites, onChange, refreshing, onRefresh, children } = props;
  const { t, language } = useLanguage();
  return (
    <div className="toolbar-filters" role="search" aria-label={t('worklist.filters')}>
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
      <Segmented
        aria-label={t('worklist.whose')}
        value={filters.whose}
        options={WHOSE.map((whose) => ({ value: whose, label: t(`worklist.whose.${whose}`) }))}
        onChange={(whose) => onChange({ whose })}
      />
      <Select
        aria-label={t('worklist.site')}
        className="toolbar-site"
        value={filters.site ?? ''}
        showSearch={{ optionFilterProp: 'label' }}
        options={[
          { value: '', label: t('worklist.site.all') },
          ...sites.map((site) => ({ value: site.code, label: siteName(language, site) })),
        ]}
        onChange={(site) => onChange({ site: site === '' ? null : site })}
      />
      <MoreFilters {...props} />
      <span className="toolbar-space" />
      <SearchBox ref={ref} text={filters.text} onSearch={(text) => onChange({ text })} />
      <Tooltip title={t('app.refresh')}>
        <Button aria-label={t('app.refresh')} icon={<ReloadOutlined spin={refreshing} />} onClick={onRefresh} />
      </Tooltip>
      {children}
    </div>
  );
}

const IN_BAR: ReadonlySet<string> = new Set(['lane', 'whose', 'site', 'text']);

function MoreFilters({ filters, groups, moreOpen, onMoreOpen, onChange }: FilterBarProps) {
  const { t } = useLanguage();
  const count = narrowingsOf(filters).filter((one) => !IN_BAR.has(one.kind)).length;
  return (
    <Popover
      open={moreOpen}
      onOpenChange={onMoreOpen}
      trigger="click"
      placement="bottomLeft"
      arrow={false}
      content={
        <div
          className="more-filters"
          onKeyDown={(event) => {
            if (event.key === 'Escape') onMoreOpen(false);
          }}
        >
          <MoreFields filters={filters} groups={groups} onChange={onChange} />
        </div>
      }
    >
      <Badge count={count} size="small">
        <Button icon={<FilterOutlined />} aria-expanded={moreOpen} aria-haspopup="dialog">
          {t('worklist.moreFilters')}
        </Button>
      </Badge>
    </Popover>
  );
}

const FLAGS = ['overdue', 'escalated', 'late'] as const;

function MoreFields({ filters, groups, onChange }: Pick<FilterBarProps, 'filters' | 'groups' | 'onChange'>) {
  const { t, language } = useLanguage();
  return (
    <>
      <Field label={t('worklist.priority')}>
        <Checkbox.Group
          options={PRIORITIES.map((each) => ({ value: each, label: t(`priority.${each}`) }))}
          value={[...filters.priorities]}
          onChange={(priorities) => onChange({ priorities })}
        />
      </Field>
      <Field label={t('worklist.modality')}>
        <Many
          label={t('worklist.modality')}
          value={filters.modalities}
          options={MODALITIES.map((each) => ({ value: each, label: each }))}
          onChange={(modalities) => onChange({ modalities })}
        />
      </Field>
      <Field label={t('worklist.part')}>
        <Many
          label={t('worklist.part')}
          value={filters.parts}
          options={BODY_PART_NAMES.map((each) => ({ value: each, label: t(`worklist.part.${each}`) }))}
          onChange={(parts) => onChange({ parts: BODY_PART_NAMES.filter((each) => parts.includes(each)) })}
        />
      </Field>
      <Field label={t('worklist.group')}>
        <Many
          label={t('worklist.group')}
          value={filters.groups}
          options={groups.map((group) => ({ value: group.code, label: siteName(language, group) }))}
          onChange={(chosen) => onChange({ groups: chosen })}
        />
      </Field>
      <Field label={t('worklist.period')}>
        <Select
          aria-label={t('worklist.period')}
          value={filters.days ?? 0}
          options={[
            { value: 0, label: t('worklist.period.any') },
            ...PERIODS.map((days) => ({ value: days, label: t(`worklist.period.${days}`) })),
          ]}
          onChange={(days) => onChange({ days: days === 0 ? null : days, from: null, to: null })}
        />
        {(['from', 'to'] as const).map((end) => (
          <Input
            key={end}
            type="date"
            className="more-day"
            aria-label={t(`worklist.period.${end}`)}
            title={t(`worklist.period.${end}`)}
            value={filters[end] ?? ''}
            onChange={(event) => onChange({ days: null, [end]: event.target.value === '' ? null : event.target.value })}
          />
        ))}
      </Field>
      <Field label={t('worklist.attention')}>
        {FLAGS.map((flag) => (
          <Checkbox key={flag} checked={filters[flag]} onChange={(event) => onChange({ [flag]: event.target.checked })}>
            {t(`worklist.flag.${flag}`)}
          </Checkbox>
        ))}
      </Field>
    </>
  );
}

function Field({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="more-field" role="group" aria-label={label}>
      <span className="more-label" aria-hidden="true">
        {label}
      </span>
      <div className="more-control">{children}</div>
    </div>
  );
}

interface ManyProps {
  label: string;
  value: readonly string[];
  options: { value: string; label: string }[];
  onChange: (value: string[]) => void;
}

function Many({ label, value, options, onChange }: ManyProps) {
  const { t } = useLanguage();
  return (
    <Select
      mode="multiple"
      aria-label={label}
      className="more-many"
      placeholder={t('worklist.any')}
      value={[...value]}
      options={options}
      showSearch={{ optionFilterProp: 'label' }}
      maxTagCount="responsive"
      onChange={onChange}
    />
  );
}

function SearchBox({
  ref,
  text,
  onSearch,
}: {
  ref: Ref<FilterBarHandle>;
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
