import { TableOutlined } from '@ant-design/icons';
import { Button, Checkbox, Popover, Tooltip } from 'antd';
import { useState } from 'react';

import { useLanguage } from '../i18n/language';
import { chosenColumns, COLUMN_NAMES, columnOf, columnsFor, FIXED } from './columns';

interface ColumnChooserProps {
  kept: readonly string[];
  onChange: (columns: string[]) => void;
}

/** Which columns this person sees; without a choice the usual ones that the screen has room for. */
export function ColumnChooser({ kept, onChange }: ColumnChooserProps) {
  const { t } = useLanguage();
  const [open, setOpen] = useState(false);
  const shown = chosenColumns(kept) ?? columnsFor(window.innerWidth);
  const toggle = (name: string): void => {
    const without = shown.filter((one) => one !== name);
    onChange(without.length === shown.length ? [...shown, name] : without);
  };
  return (
    <Popover
      open={open}
      onOpenChange={setOpen}
      trigger="click"
      placement="bottomRight"
      arrow={false}
      content={
        <div
          className="column-choice"
          role="group"
          aria-label={t('worklist.columns')}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setOpen(false);
          }}
        >
          {COLUMN_NAMES.map((name) => (
            <Checkbox
              key={name}
              checked={shown.includes(name)}
              disabled={FIXED.includes(name)}
              onChange={() => toggle(name)}
            >
              {t(columnOf(name).heading)}
            </Checkbox>
          ))}
          <button type="button" className="link-button" onClick={() => onChange([])}>
            {t('worklist.columns.usual')}
          </button>
        </div>
      }
    >
      <Tooltip title={t('worklist.columns')}>
        <Button aria-label={t('worklist.columns')} aria-expanded={open} icon={<TableOutlined />} />
      </Tooltip>
    </Popover>
  );
}
