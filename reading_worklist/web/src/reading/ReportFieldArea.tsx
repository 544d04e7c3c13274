import { App } from 'antd';
import { type ClipboardEvent, type KeyboardEvent, type RefCallback, useId, useState } from 'react';

import type { Snippet } from '../api/types';
import { useLanguage } from '../i18n/language';
import { expanded, lengthAfterPaste, shortcutAt, snippetOf } from './places';
import { LONGEST_TEXT } from './reportFields';

const HINTS_MAX = 6;

interface ReportFieldAreaProps {
  name: string;
  className: string;
  required: boolean;
  readOnly: boolean;
  value: string;
  snippets: readonly Snippet[];
  areaRef: RefCallback<HTMLTextAreaElement>;
  onChange: (value: string) => void;
  /** Puts the caret where an expanded snippet ends. */
  onExpanded: (caret: number) => void;
}

/** One text of the report; ;shortcut and a space become the snippet. */
export function ReportFieldArea({
  name,
  className,
  required,
  readOnly,
  value,
  snippets,
  areaRef,
  onChange,
  onExpanded,
}: ReportFieldAreaProps) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const id = useId();
  const [typed, setTyped] = useState<string | null>(null);
  const hints =
    typed === null
      ? []
      : snippets.filter((each) => each.shortcut.toLowerCase().startsWith(typed.toLowerCase())).slice(0, HINTS_MAX);

  const expand = (area: HTMLTextAreaElement, shortcut: string, by: string): void => {
    const done = expanded(value, area.selectionEnd, shortcut, by);
    if (done.text.length > LONGEST_TEXT) return;
    onChange(done.text);
    onExpanded(done.caret);
    setTyped(null);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if ((event.key !== ' ' && event.key !== 'Tab') || event.shiftKey || event.nativeEvent.isComposing) return;
    const area = event.currentTarget;
    const shortcut = shortcutAt(value, area.selectionEnd);
    const snippet = shortcut === null ? null : snippetOf(snippets, shortcut);
    if (shortcut === null || snippet === null || readOnly) return;
    event.preventDefault();
    expand(area, shortcut, snippet.text);
  };
  const onPaste = (event: ClipboardEvent<HTMLTextAreaElement>): void => {
    const area = event.currentTarget;
    const pasted = event.clipboardData.getData('text').length;
    const length = lengthAfterPaste(value.length, area.selectionEnd - area.selectionStart, pasted);
    if (length <= LONGEST_TEXT) return;
    // A browser would cut the text where the field is full, without a word.
    event.preventDefault();
    void message.error({ content: t('writing.tooLong', { length, limit: LONGEST_TEXT }), duration: 8 });
  };
  return (
    <div className={`field ${className}`}>
      <label htmlFor={id}>
        {name}
        {!required && <span className="field-optional">{t('report.optional')}</span>}
      </label>
      <textarea
        id={id}
        ref={areaRef}
        value={value}
        maxLength={LONGEST_TEXT}
        spellCheck={false}
        required={required}
        readOnly={readOnly}
        onChange={(event) => {
          onChange(event.target.value);
          setTyped(shortcutAt(event.target.value, event.target.selectionEnd));
        }}
        onKeyDown={onKeyDown}
        onPaste={onPaste}
        onBlur={() => setTyped(null)}
      />
      {hints.length > 0 && (
        <p className="snippet-hints" role="status">
          <span className="visually-hidden">{t('writing.snippetHint')}</span>
          {hints.map((each) => (
            <span key={each.id} title={each.text}>
              <kbd>;{each.shortcut}</kbd> {each.text}
            </span>
          ))}
          <em>{t('writing.snippetExpand')}</em>
        </p>
      )}
    </div>
  );
}
