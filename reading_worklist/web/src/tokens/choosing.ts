import type { Token } from './queries';

export const FILTERS = ['now', 'care', 'all'] as const;
export type Filter = (typeof FILTERS)[number];

/** Whether a machine is let in with it today. */
export const isTaken = (one: Token): boolean => one.state === 'taken' || one.state === 'replaced';

/** The tokens that a filter and a text let through; every word of the text is somewhere in a token's names. */
export function chosen(tokens: readonly Token[], text: string, filter: Filter): Token[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return tokens.filter((one) => {
    if (filter === 'now' && !isTaken(one)) return false;
    if (filter === 'care' && one.concerns.length === 0) return false;
    const names = [one.name, one.device ?? '', one.site_code, one.site_name, one.site_name_en].join('\n').toLowerCase();
    return words.every((word) => names.includes(word));
  });
}

/** A SHA-256 fingerprint as openssl or a browser shows it. */
export const isFingerprint = (text: string): boolean => /^[0-9a-f]{64}$/i.test(text.replaceAll(/[:\s]/g, ''));
