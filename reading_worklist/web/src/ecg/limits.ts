import type { EcgMeasured } from '../api/types';
import { type Language, textOf } from '../i18n/catalogue';
import { formatDuration } from '../i18n/format';

/** What limits a measurement, in words with its numbers. */
export function limitWords(language: Language, { code, numbers }: EcgMeasured['notes'][number]): string {
  const number = (name: string): number => Math.round(numbers[name] ?? Number.NaN);
  switch (code) {
    case 'first_seconds':
      return textOf(language, 'ecg.limit.first_seconds', {
        measured_seconds: number('measured_seconds'),
        record: formatDuration(language, number('record_seconds') * 1000),
      });
    case 'one_group':
      return textOf(language, 'ecg.limit.one_group', { groups: number('groups') });
    case 'no_spikes':
      return textOf(language, 'ecg.limit.no_spikes', { rate_hz: number('rate_hz'), needed_hz: number('needed_hz') });
  }
}
