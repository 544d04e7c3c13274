import type { ReportText, Snippet } from '../api/types';
import { FIELDS, type Field } from './reportFields';

/** What a template leaves open: {size mm}, or a line to write on. */
const PLACE = /\{[^{}\n]{0,80}\}|_{2,}/g;
const SHORTCUT = /[;；]([\w\u3400-\u9fff-]{1,30})$/u;

/** A run of characters of one field. */
export interface Place {
  field: Field;
  start: number;
  end: number;
}

/** Every open place, in the order of the paper. */
export function openPlaces(text: ReportText): Place[] {
  return FIELDS.flatMap((field) =>
    [...text[field].matchAll(PLACE)].map((found) => ({
      field,
      start: found.index,
      end: found.index + found[0].length,
    })),
  );
}

/** The open place that follows where the caret is, the first one after the last; null when nothing is open. */
export function nextPlace(text: ReportText, caret: { field: Field; at: number } | null): Place | null {
  const places = openPlaces(text);
  const after =
    caret === null
      ? undefined
      : places.find(
          ({ field, start }) =>
            FIELDS.indexOf(field) > FIELDS.indexOf(caret.field) || (field === caret.field && start >= caret.at),
        );
  return after ?? places[0] ?? null;
}

/** The shortcut that ends at the caret, without its semicolon; null when none does. */
export function shortcutAt(text: string, caret: number): string | null {
  return SHORTCUT.exec(text.slice(Math.max(0, caret - 31), caret))?.[1] ?? null;
}

/** The snippet of a shortcut; one's own comes before a shared one. */
export function snippetOf(snippets: readonly Snippet[], shortcut: string): Snippet | null {
  const wanted = shortcut.toLowerCase();
  const found = snippets.filter((each) => each.shortcut.toLowerCase() === wanted);
  return found.find((each) => each.mine) ?? found[0] ?? null;
}

/** The text with the shortcut before the caret replaced by what it stands for, and where the caret is then. */
export function expanded(text: string, caret: number, shortcut: string, by: string): { text: string; caret: number } {
  const start = caret - shortcut.length - 1;
  return { text: text.slice(0, start) + by + text.slice(caret), caret: start + by.length };
}

/** How long a field becomes when `pasted` replaces its selection. */
export function lengthAfterPaste(length: number, selected: number, pasted: number): number {
  return length - selected + pasted;
}
