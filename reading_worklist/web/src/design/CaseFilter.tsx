import { Segmented, Select } from 'antd';
import { useState } from 'react';

import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useSites } from './sites';
import './desk.css';

/** Which cases of a list are shown. */
export interface CaseFilters {
  /** Those alone in which somebody still has to do something. */
  open: boolean;
  /** The code of a site; null is any. */
  site: string | null;
  page: number;
}

interface CaseFilterProps {
  filters: CaseFilters;
  /** Whether one chooses among sites; a site sees its own. */
  sites: boolean;
  onChange: (filters: CaseFilters) => void;
}

/** What a list of cases begins with. */
export function useCaseFilters() {
  return useState<CaseFilters>({ open: true, site: null, page: 1 });
}

/** Chooses open or all cases, and for the centre a site; each choice begins at the first page. */
export function CaseFilter({ filters, sites, onChange }: CaseFilterProps) {
  const { t, language } = useLanguage();
  const all = useSites(sites);
  return (
    <>
      {sites && (
        <Select
          className="desk-site"
          aria-label={t('critical.site')}
          value={filters.site ?? ''}
          options={[
            { value: '', label: t('critical.allSites') },
            ...(all.data ?? []).map((one) => ({ value: one.code, label: siteName(language, one) })),
          ]}
          onChange={(chosen) => onChange({ ...filters, site: chosen === '' ? null : chosen, page: 1 })}
        />
      )}
      <Segmented
        aria-label={t('critical.which')}
        value={filters.open ? 'open' : 'all'}
        options={[
          { value: 'open', label: t('critical.filter.open') },
          { value: 'all', label: t('critical.filter.all') },
        ]}
        onChange={(chosen) => onChange({ ...filters, open: chosen === 'open', page: 1 })}
      />
    </>
  );
}
