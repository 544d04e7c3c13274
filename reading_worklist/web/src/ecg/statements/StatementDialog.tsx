import { Input, type InputRef, Modal, Segmented } from 'antd';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';

import type { EcgStatement } from '../../api/types';
import { isPlainKey, type Language, LANGUAGES } from '../../i18n/catalogue';
import { useLanguage } from '../../i18n/language';
import { matching, textOfStatement } from './statements';
import './statements.css';

interface StatementDialogProps {
  statements: readonly EcgStatement[];
  /** Ids that stand in the report already. */
  said: ReadonlySet<string>;
  /** In which language the report is written. */
  language: Language;
  onPick: (statement: EcgStatement, language: Language) => void;
  onClose: () => void;
}

/** Picks statements one after the other: type, arrows, Enter inserts, Esc closes. */
export function StatementDialog({ statements, said, language, onPick, onClose }: StatementDialogProps) {
  const { t } = useLanguage();
  const [wanted, setWanted] = useState('');
  const [at, setAt] = useState(0);
  const [written, setWritten] = useState<Language>(language);
  const input = useRef<InputRef>(null);
  const list = useRef<HTMLUListElement>(null);
  const listId = useId();
  const found = matching(statements, wanted);
  const selected = Math.min(at, found.length - 1);
  const chosen = statements.filter(({ id }) => said.has(id));

  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [selected, wanted]);

  const headingOf = (group: string): string => {
    const key = `statements.group.${group}`;
    return isPlainKey(key) ? t(key) : group;
  };
  const pick = (statement: EcgStatement): void => {
    if (!said.has(statement.id)) onPick(statement, written);
    setWanted('');
    setAt(0);
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) setAt(Math.max(0, Math.min(selected + step, found.length - 1)));
    const statement = found[selected];
    if (event.key === 'Enter' && statement !== undefined) pick(statement);
    if (step !== 0 || event.key === 'Enter') event.preventDefault();
  };
  return (
    <Modal
      open
      width={680}
      title={t('statements.title')}
      footer={null}
      mask={{ closable: false }}
      onCancel={onClose}
      afterOpenChange={(open) => {
        if (open) input.current?.focus();
      }}
    >
      <div className="statements-search">
        <Input
          ref={input}
          allowClear
          role="combobox"
          aria-label={t('statements.search')}
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={found[selected] === undefined ? undefined : `${listId}-${found[selected].id}`}
          placeholder={t('statements.search')}
          value={wanted}
          onChange={(event) => {
            setWanted(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
        <Segmented
          aria-label={t('statements.language')}
          value={written}
          options={LANGUAGES.map((each) => ({ value: each, label: t(`language.${each}`) }))}
          onChange={setWritten}
        />
      </div>
      <p className="statements-said quiet small" role="status">
        {chosen.length === 0
          ? t('statements.hint')
          : t('statements.said', { list: chosen.map((each) => textOfStatement(each, written)).join(' · ') })}
      </p>
      <ul className="statements-found" id={listId} role="listbox" ref={list} aria-label={t('statements.title')}>
        {found.map((statement, index) => (
          <li
            key={statement.id}
            id={`${listId}-${statement.id}`}
            role="option"
            aria-selected={index === selected}
            aria-disabled={said.has(statement.id)}
            data-heading={
              wanted === '' && statement.group !== found[index - 1]?.group ? headingOf(statement.group) : null
            }
            onMouseMove={() => setAt(index)}
            onClick={() => pick(statement)}
          >
            <kbd>{statement.key}</kbd>
            <span>{textOfStatement(statement, written)}</span>
            <span className="quiet small">{textOfStatement(statement, written === 'en' ? 'zh-CN' : 'en')}</span>
            <span className={`statement-class statement-${statement.ecg_class ?? 'none'}`}>
              {statement.ecg_class === null ? '' : t(`code.ecg_class.${statement.ecg_class}`)}
            </span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="quiet">{t('statements.none')}</p>}
    </Modal>
  );
}
