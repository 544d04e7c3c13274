import { globSync, readFileSync } from 'node:fs';

import ts from 'typescript';
import { describe, expect, it } from 'vitest';

import { catalogue, isPlainKey, textOf } from './catalogue';

const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').sort();

describe('catalogue', () => {
  it('has a text in both languages under every key, with the same parameters', () => {
    for (const [key, [chinese, english]] of Object.entries(catalogue)) {
      expect(chinese.trim(), key).not.toBe('');
      expect(english.trim(), key).not.toBe('');
      expect(placeholders(english), key).toEqual(placeholders(chinese));
    }
  });

  it('has no Chinese in its English texts, but for the name of the language', () => {
    const mixed = Object.entries(catalogue).filter(([, [, english]]) => /\p{Script=Han}/u.test(english));
    expect(mixed.map(([key]) => key)).toEqual(['language.zh-CN']);
  });

  it('fills parameters in, also twice and beside text that looks like one', () => {
    expect(textOf('en', 'list.page', { from: 1, to: 50, total: 82 })).toBe('1–50 of 82');
    expect(textOf('zh-CN', 'returned.by', { name: '{time}', time: '10:32' })).toBe('{time}，10:32');
  });

  it('knows which keys are texts without parameters', () => {
    expect(isPlainKey('state.QUEUED')).toBe(true);
    expect(isPlainKey('list.page')).toBe(false);
    expect(isPlainKey('toString')).toBe(false);
  });
});

const READ_BY_PEOPLE = new Set([
  'title',
  'aria-label',
  'alt',
  'placeholder',
  'label',
  'description',
  'heading',
  'okText',
  'cancelText',
]);
const LETTER = /\p{L}/u;

/** Texts in the source that a person would read and that are not in the catalogue. */
function strayTexts(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node) && LETTER.test(node.text)) found.push(node.text.trim());
    if (ts.isJsxAttribute(node) && node.initializer && ts.isStringLiteral(node.initializer)) {
      if (READ_BY_PEOPLE.has(node.name.getText(source)) && LETTER.test(node.initializer.text))
        found.push(node.initializer.text);
    }
    if (ts.isStringLiteralLike(node) && /\p{Script=Han}/u.test(node.text)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

it('no component carries a text of its own', () => {
  const files = globSync('src/**/*.{ts,tsx}').filter((file) => !/catalogue|\.test\.|schema\.d/.test(file));
  expect(files.length).toBeGreaterThan(50);
  const strays = files.flatMap((file) => strayTexts(file).map((text) => `${file}: ${text}`));
  expect(strays).toEqual([]);
});
