import { ArrowDownOutlined, ArrowUpOutlined, DeleteOutlined, EditOutlined } from '@ant-design/icons';
import { Button, Switch, Tooltip } from 'antd';
import { type KeyboardEvent, type ReactNode, useRef } from 'react';

import { Chip, type Tone } from '../design/Chip';
import { useLanguage } from '../i18n/language';
import type { ChangeKind } from './draft';
import type { Rule } from './queries';
import { sentenceOf, type Words } from './sentence';

const TONES: Record<ChangeKind, Tone> = { added: 'green', changed: 'amber', moved: 'blue', removed: 'red' };

interface RuleListProps {
  rules: readonly Rule[];
  words: Words;
  /** What is not published yet, by name. */
  changed: ReadonlyMap<string, ChangeKind>;
  /** How many past exams each rule would have decided; null before a trial. */
  applied: Readonly<Record<string, number>> | null;
  onEdit: (at: number) => void;
  onMove: (at: number, by: -1 | 1) => void;
  onToggle: (at: number) => void;
  onRemove: (at: number) => void;
}

/** The rules in the order in which they are tried. ↑↓ go through, Alt+↑↓ move, Enter edits, Space switches, Del removes. */
export function RuleList({ rules, words, changed, applied, onEdit, onMove, onToggle, onRemove }: RuleListProps) {
  const { t, language } = useLanguage();
  const list = useRef<HTMLOListElement>(null);
  const focus = (at: number): void => {
    const row = list.current?.children.item(at);
    if (row instanceof HTMLElement) row.focus();
  };
  const onKey = (event: KeyboardEvent<HTMLLIElement>, at: number): void => {
    // A key pressed on a button of the row is that button's.
    if (event.target !== event.currentTarget) return;
    const by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : null;
    if (by !== null) {
      if (event.altKey) {
        if (at + by >= 0 && at + by < rules.length) onMove(at, by);
      } else focus(at + by);
    } else if (event.key === 'Enter') onEdit(at);
    else if (event.key === ' ') onToggle(at);
    else if (event.key === 'Delete') onRemove(at);
    else return;
    event.preventDefault();
  };
  return (
    <ol className="rule-list" ref={list} aria-label={t('rules.list')}>
      {rules.map((rule, at) => {
        const sentence = sentenceOf(language, rule, words);
        const change = changed.get(rule.name);
        return (
          <li
            key={rule.name}
            tabIndex={0}
            className={rule.enabled ? 'rule-row' : 'rule-row rule-off'}
            onKeyDown={(event) => onKey(event, at)}
            onDoubleClick={() => onEdit(at)}
          >
            <span className="rule-number">{at + 1}</span>
            <span className="rule-text">
              <span className="rule-name">
                {rule.name}
                {!rule.enabled && <Chip tone="slate">{t('rules.disabled')}</Chip>}
                {change !== undefined && <Chip tone={TONES[change]}>{t(`rules.change.${change}`)}</Chip>}
                {applied !== null && (
                  <span className="quiet small">{t('rules.applied', { n: applied[rule.name] ?? 0 })}</span>
                )}
              </span>
              <span className="rule-sentence">
                {sentence.when} <span className="rule-arrow">→</span> <strong>{sentence.then}</strong>
              </span>
            </span>
            <span className="rule-acts">
              <Switch
                size="small"
                checked={rule.enabled}
                aria-label={`${t(rule.enabled ? 'rules.disable' : 'rules.enable')} ${rule.name}`}
                onChange={() => onToggle(at)}
              />
              <Act icon={<ArrowUpOutlined />} label={t('rules.up')} off={at === 0} onClick={() => onMove(at, -1)} />
              <Act
                icon={<ArrowDownOutlined />}
                label={t('rules.down')}
                off={at === rules.length - 1}
                onClick={() => onMove(at, 1)}
              />
              <Act icon={<EditOutlined />} label={t('rules.edit')} onClick={() => onEdit(at)} />
              <Act icon={<DeleteOutlined />} label={t('rules.remove')} onClick={() => onRemove(at)} />
            </span>
          </li>
        );
      })}
    </ol>
  );
}

function Act({
  icon,
  label,
  off = false,
  onClick,
}: {
  icon: ReactNode;
  label: string;
  off?: boolean;
  onClick: () => void;
}) {
  return (
    <Tooltip title={label}>
      <Button type="text" size="small" icon={icon} aria-label={label} disabled={off} onClick={onClick} />
    </Tooltip>
  );
}
