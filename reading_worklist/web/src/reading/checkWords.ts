import type { CheckFinding } from '../api/types';
import { isPlainKey, type Language, textOf } from '../i18n/catalogue';

/** What is wrong, in a sentence: which words, and what the exam or the findings say instead. */
export function checkWords(language: Language, one: CheckFinding): string {
  const title = said(language, `check.${one.code}`);
  const expected = valueWords(language, one.expected);
  const found = valueWords(language, one.found);
  if (one.code === 'missing-code') return textOf(language, 'check.missingCode', { name: expected });
  if (one.code === 'missing-text' && one.part !== null) {
    return textOf(language, 'check.missingText', { field: said(language, `check.part.${one.part}`) });
  }
  const facts = [
    expected === '' ? '' : textOf(language, 'check.expected', { value: expected }),
    found === '' ? '' : textOf(language, 'check.found', { value: found }),
  ].filter((fact) => fact !== '');
  return facts.length === 0
    ? title
    : `${title}${textOf(language, 'check.facts', { facts: facts.join(separator(language)) })}`;
}

function separator(language: Language): string {
  return textOf(language, 'app.listSeparator');
}

/** A value of a check in words where the catalogue has some; several are parted by commas. */
function valueWords(language: Language, value: string): string {
  return value
    .split(',')
    .map((each) => said(language, `check.value.${each}`, each))
    .join(separator(language));
}

function said(language: Language, key: string, otherwise = key): string {
  return isPlainKey(key) ? textOf(language, key) : otherwise;
}
