import type { QualityNote, SeriesPicture } from '../api/types';
import { type Language, type PlainKey, type TextKey, textOf } from '../i18n/catalogue';

type Code = QualityNote['code'];

const SHOWN = 6;

/** What a site or reader may do about a finding; information needs nothing. */
const ADVICE: Partial<Record<Code, PlainKey>> = {
  missing_slices: 'quality.advice.missing_slices',
  doubled_slices: 'quality.advice.doubled_slices',
  uneven_spacing: 'quality.advice.uneven_spacing',
  mixed_orientation: 'quality.advice.mixed',
  mixed_size: 'quality.advice.mixed',
  mixed_pixel_spacing: 'quality.advice.mixed',
  shifted_slices: 'quality.advice.uneven_spacing',
  unplaced_slices: 'quality.advice.broken',
  blank_slices: 'quality.advice.broken',
  repeated_content: 'quality.advice.broken',
  unreadable: 'quality.advice.broken',
};

/** What was found, in a few words: `Slices missing: 3`. */
export function headlineOf(language: Language, note: Pick<QualityNote, 'code' | 'parameters'>): string {
  const count = numberIn(note.parameters, 'count') ?? 0;
  const key: TextKey = `quality.code.${note.code}`;
  return textOf(language, key, { count });
}

/** Where it is and its measures: `between 17 and 19, spacing 2.5 mm`; empty when nothing more is known. */
export function detailOf(language: Language, note: Pick<QualityNote, 'code' | 'parameters'>): string {
  const { parameters } = note;
  const items = Array.isArray(parameters['items']) ? parameters['items'].filter(isRecord) : [];
  const parts = [placesOf(language, items), measuresOf(language, parameters)].filter((part) => part !== '');
  return parts.join(textOf(language, 'app.listSeparator'));
}

/** What to do about it; null when there is nothing to do. */
export function adviceOf(language: Language, code: Code): string | null {
  const key = ADVICE[code];
  return key === undefined ? null : textOf(language, key);
}

/** What a series is called: its number and description. */
export function seriesName(language: Language, series: Pick<SeriesPicture, 'number' | 'description'>): string {
  const name =
    series.number === null
      ? textOf(language, 'quality.seriesUnnumbered')
      : textOf(language, 'quality.seriesLabel', { number: series.number });
  return series.description === null || series.description === '' ? name : `${name} · ${series.description}`;
}

function placesOf(language: Language, items: readonly Record<string, unknown>[]): string {
  const separator = textOf(language, 'app.listSeparator');
  const more = items.length > SHOWN ? ` ${textOf(language, 'quality.more')}` : '';
  const first = items.slice(0, SHOWN);
  const numbers = first.map((item) => numberIn(item, 'number')).filter((number) => number !== null);
  if (numbers.length > 0) {
    return textOf(language, 'quality.numbers', { numbers: numbers.join(separator) }) + more;
  }
  const places = first
    .toSorted(byNumber)
    .map((item) => placeOf(language, item))
    .filter((place) => place !== '');
  return places.length === 0 ? '' : places.join(separator) + more;
}

/** Gaps in the order in which one scrolls past them. */
function byNumber(one: Record<string, unknown>, other: Record<string, unknown>): number {
  const [first, second] = [numberIn(one, 'after'), numberIn(other, 'after')];
  return first === null || second === null ? 0 : first - second;
}

function placeOf(language: Language, item: Record<string, unknown>): string {
  const [after, before] = [numberIn(item, 'after'), numberIn(item, 'before')];
  if (after !== null && before !== null) {
    // In the order of the numbers: along the patient they may run either way.
    const [low, high] = after <= before ? [after, before] : [before, after];
    return textOf(language, 'quality.between', { after: low, before: high });
  }
  const [from, to] = [numberIn(item, 'from'), numberIn(item, 'to')];
  if (from !== null && to !== null) return textOf(language, 'quality.betweenPlaces', { from, to });
  const at = numberIn(item, 'position');
  return at === null ? '' : textOf(language, 'quality.place', { at });
}

function measuresOf(language: Language, parameters: Record<string, unknown>): string {
  const degrees = numberIn(parameters, 'degrees');
  if (degrees !== null) return textOf(language, 'quality.degrees', { n: degrees });
  const spacing = numberIn(parameters, 'spacing');
  const [smallest, largest] = [numberIn(parameters, 'smallest'), numberIn(parameters, 'largest')];
  const range =
    smallest === null || largest === null
      ? ''
      : textOf(language, 'quality.spacingRange', { from: smallest, to: largest });
  const usual = spacing === null ? '' : textOf(language, 'quality.spacing', { mm: spacing });
  return [usual, range].filter((part) => part !== '').join(textOf(language, 'app.listSeparator'));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function numberIn(from: Record<string, unknown>, name: string): number | null {
  const value = from[name];
  return typeof value === 'number' ? value : null;
}
