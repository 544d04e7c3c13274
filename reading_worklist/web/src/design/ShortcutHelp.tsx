import { Modal } from 'antd';

import type { PlainKey } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import './shortcutHelp.css';

export type HelpLine = readonly [keyNames: readonly string[], meaning: PlainKey];

/** So many lines fit a small screen one below the other. */
const ONE_COLUMN = 14;

/** The keyboard shortcuts of a page. */
export function ShortcutHelp({
  open,
  lines,
  note,
  onClose,
}: {
  open: boolean;
  lines: readonly HelpLine[];
  note?: string;
  onClose: () => void;
}) {
  const { t } = useLanguage();
  const many = lines.length > ONE_COLUMN;
  return (
    <Modal open={open} title={t('keys.title')} onCancel={onClose} footer={null} width={many ? 800 : 440}>
      <dl className={many ? 'key-help key-help-many' : 'key-help'}>
        {lines.map(([names, meaning]) => (
          <div key={meaning}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{t(meaning)}</dd>
          </div>
        ))}
      </dl>
      {note !== undefined && <p className="key-help-note">{note}</p>}
    </Modal>
  );
}
