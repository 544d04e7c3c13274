import { Select } from 'antd';
import { useState } from 'react';

import type { ReportVersion, WorkitemDetail } from '../api/types';
import { Empty } from '../design/Notice';
import { isPlainKey } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import { TextChanges } from './TextChanges';
import './writing.css';

/** Two versions of a report side by side, word by word; at first the last two. */
export function VersionComparison({ item }: { item: WorkitemDetail }) {
  const { t } = useLanguage();
  const { versions } = item;
  const [chosen, setChosen] = useState<{ old: string; new: string } | null>(null);
  const from = chosen?.old ?? versions.at(-2)?.id;
  const to = chosen?.new ?? versions.at(-1)?.id;
  if (from === undefined || to === undefined) {
    return (
      <div className="report-scroll">
        <Empty title={t('compare.one')} text={t('compare.one.text')} />
      </div>
    );
  }
  return (
    <div className="report-scroll">
      <div className="changes-both changes-choice">
        <Choice
          label={t('compare.old')}
          versions={versions}
          value={from}
          onChange={(old) => setChosen({ old, new: to })}
        />
        <Choice
          label={t('compare.new')}
          versions={versions}
          value={to}
          onChange={(next) => setChosen({ old: from, new: next })}
        />
      </div>
      <TextChanges id={item.id} lane={item.lane} from={from} to={to} sideBySide />
    </div>
  );
}

function Choice({
  label,
  versions,
  value,
  onChange,
}: {
  label: string;
  versions: readonly ReportVersion[];
  value: string;
  onChange: (id: string) => void;
}) {
  const { t } = useLanguage();
  return (
    <label>
      <span className="quiet small">{label}</span>
      <Select
        aria-label={label}
        value={value}
        options={versions.map((version) => {
          const key = `final.status.${version.status}`;
          const status = isPlainKey(key) ? t(key) : version.status;
          return {
            value: version.id,
            label: `${t('final.version', { n: version.number })} · ${status}`,
          };
        })}
        onChange={onChange}
      />
    </label>
  );
}
