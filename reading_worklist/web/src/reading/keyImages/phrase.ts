import type { Measured, Measurement } from '../../api/types';
import { type Language, type PlainKey, textOf } from '../../i18n/catalogue';

/** What viewers measure, by code (PS3.16 CID 7470, 218 and Cornerstone's own). */
const NAMES: Readonly<Record<string, PlainKey>> = {
  'SCT:410668003': 'measured.length',
  'SRT:G-D7FE': 'measured.length',
  'SCT:103339001': 'measured.longAxis',
  'SRT:G-A185': 'measured.longAxis',
  'SCT:103340004': 'measured.shortAxis',
  'SRT:G-A186': 'measured.shortAxis',
  'SCT:42798000': 'measured.area',
  'SRT:G-A166': 'measured.area',
  'SCT:131191004': 'measured.perimeter',
  'SCT:1483009': 'measured.angle',
  'SCT:118565006': 'measured.volume',
  'SCT:131190003': 'measured.radius',
  'SCT:373098007': 'measured.mean',
  'SRT:R-00317': 'measured.mean',
  'SCT:386136009': 'measured.deviation',
  'SRT:R-10047': 'measured.deviation',
  'SCT:56851009': 'measured.most',
  'SRT:G-A437': 'measured.most',
  'SCT:255605001': 'measured.least',
  'SRT:R-404FB': 'measured.least',
};

/** Units as people write them, from UCUM. */
const UNITS: Readonly<Record<string, string>> = {
  mm2: ' mm²',
  mm3: ' mm³',
  cm2: ' cm²',
  deg: '°',
  "[hnsf'U]": ' HU',
  '[hnsfU]': ' HU',
  '1': '',
};

/** A number with as many places as a report gives. */
export function shortNumber(value: string): string {
  const number = Number(value);
  if (!Number.isFinite(number)) return value;
  return String(Number(number.toFixed(Math.abs(number) < 100 ? 1 : 0)));
}

function valueText(language: Language, { concept, value, unit }: Measured): string {
  const key = NAMES[`${concept.scheme}:${concept.value}`];
  const name = key === undefined ? concept.meaning : textOf(language, key);
  return `${name} ${shortNumber(value)}${UNITS[unit] ?? (unit === '' ? '' : ` ${unit}`)}`;
}

/** The values of one thing: “long axis 12.3 mm, short axis 8 mm”. */
export function valuesText(language: Language, measurement: Measurement): string {
  const values = measurement.values.map((one) => valueText(language, one));
  return values.join(textOf(language, 'measured.comma'));
}

/** What it is: as the doctor named it, and where. */
export function findingText(measurement: Measurement): string {
  const { finding, site } = measurement;
  return [site?.meaning ?? '', finding?.meaning ?? ''].filter((part) => part !== '').join(' ');
}

/** Where an image stands in the exam: series and image, and the frame of several. */
export function imageText(
  language: Language,
  image: { series_number: number | null; instance_number: number | null; frame_number: number; frame_count: number },
): string {
  return textOf(language, image.frame_count > 1 ? 'keyImages.placeFrame' : 'keyImages.place', {
    series: image.series_number ?? '—',
    instance: image.instance_number ?? '—',
    frame: image.frame_number,
  });
}

/** The sentence that goes into the findings. */
export function measurementPhrase(language: Language, measurement: Measurement): string {
  const finding = findingText(measurement);
  const values = valuesText(language, measurement);
  const what = [finding, values].filter((part) => part !== '').join(textOf(language, 'measured.colon'));
  const { image } = measurement;
  const where = image === null ? '' : textOf(language, 'measured.where', { place: imageText(language, image) });
  const sentence = what.charAt(0).toLocaleUpperCase(language) + what.slice(1);
  return sentence + where + textOf(language, 'measured.stop');
}
