import { Button } from 'antd';

import type { DraftContent, EcgStatement } from '../api/types';
import { useShortcuts } from '../design/shortcuts';
import { EcgValuesForm } from '../ecg/statements/EcgValuesForm';
import { StatementDialog } from '../ecg/statements/StatementDialog';
import {
  impliedClass,
  isMilder,
  languageOf,
  saidIn,
  textOfStatement,
  useStatements,
} from '../ecg/statements/statements';
import type { Language } from '../i18n/catalogue';
import { useLanguage } from '../i18n/language';
import type { DraftSaver } from './draftSaver';
import { appended } from './insertions';
import { LONGEST_TEXT } from './reportFields';

/** What an ECG's report has beside its texts: statements to pick from, the values, and the class they propose. */
export function EcgWriting({
  id,
  text,
  saver,
  disabled,
  picking,
  onPicking,
}: {
  id: string;
  text: DraftContent;
  saver: DraftSaver;
  disabled: boolean;
  /** Whether statements are being picked. */
  picking: boolean;
  onPicking: (picking: boolean) => void;
}) {
  const { t, language } = useLanguage();
  const { data: statements = [] } = useStatements(true);
  const said = saidIn(statements, text.impression);
  const implied = impliedClass(said);
  const coded = text.codes.ecg_class ?? null;

  const pick = (statement: EcgStatement, written: Language): void => {
    const before = saver.snapshot().text;
    const impression = appended(before.impression, textOfStatement(statement, written));
    if (impression.length > LONGEST_TEXT) return;
    const now = impliedClass([...saidIn(statements, before.impression), statement]);
    // A class that somebody chose is his; the next line asks when it is milder than what is written.
    const codes =
      (before.codes.ecg_class ?? null) === null && now !== null ? { ...before.codes, ecg_class: now } : before.codes;
    const picked = before.ecg.statements.filter((each) => each !== statement.id);
    saver.change({ impression, codes, ecg: { ...before.ecg, statements: [...picked, statement.id] } });
  };
  useShortcuts({
    'alt+y': () => {
      if (!disabled) onPicking(true);
    },
  });

  return (
    <>
      {implied !== null && coded !== null && isMilder(coded, implied) && (
        <p className="ecg-class-hint" role="status">
          {t('statements.class', { value: t(`code.ecg_class.${implied}`) })}{' '}
          <Button
            size="small"
            disabled={disabled}
            onClick={() => saver.change({ codes: { ...saver.snapshot().text.codes, ecg_class: implied } })}
          >
            {t('statements.takeClass')}
          </Button>
        </p>
      )}
      <EcgValuesForm
        id={id}
        confirmed={text.ecg.confirmed}
        disabled={disabled}
        onChange={(confirmed) => saver.change({ ecg: { ...saver.snapshot().text.ecg, confirmed } })}
      />
      {picking && statements.length > 0 && (
        <StatementDialog
          statements={statements}
          said={new Set(said.map((each) => each.id))}
          language={languageOf(text.impression) ?? language}
          onPick={pick}
          onClose={() => onPicking(false)}
        />
      )}
    </>
  );
}
