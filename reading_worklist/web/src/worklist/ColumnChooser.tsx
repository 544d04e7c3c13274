import { TableOutlined } from '@ant-design/icons';
import { Button, Checkbox, Tooltip } from 'antd';

import { useLanguage } from '../i18n/language';
import { BarPopover } from './BarPopover';
import { chosenColumns, COLUMN_NAMES, columnOf, columnsFor, FIXED } from './columns';

interface ColumnChooserProps {
  kept: readonly string[];
  onChange: (columns: string[]) => void;
}

/** Which columns this person sees; without a choice the usual ones that the screen has room for. */
export function ColumnChooser({ kept, onChange }: ColumnChooserProps) {
  const { t } = useLanguage();
  const shown = chosenColumns(kept) ?? columnsFor(window.innerWidth);
  const toggle = (name: string): void => {
    const without = shown.filter((one) => one !== name);
    onChange(without.length === shown.length ? [...shown, name] : without);
  };
  return (
    <BarPopover
      label={t('worklist.columns')}
      className="column-choice"
      content={
        <>
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
        </>
      }
    >
      {(open) => (
        <Tooltip title={t('worklist.columns')}>
          <Button aria-label={t('worklist.columns')} aria-expanded={open} icon={<TableOutlined />} />
        </Tooltip>
      )}
    </BarPopover>
  );
}
