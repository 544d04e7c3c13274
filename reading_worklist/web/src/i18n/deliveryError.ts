import { isPlainKey, type Language, textOf } from './catalogue';

/** What the engine and receivers say, by what it means for a person; the first that fits counts. */
const MEANT: readonly (readonly [RegExp, string])[] = [
  [/is not known:|name or service|nodename|getaddrinfo/i, 'unknownHost'],
  [/switched off/i, 'switchedOff'],
  [/superseded|recalled/i, 'superseded'],
  [/^redirected/i, 'redirected'],
  [/interrupted/i, 'interrupted'],
  [/^error of ours/i, 'ours'],
  [/stored PDF|no instance left|object .* not|is not in the store/i, 'document'],
  [/\bTLS\b|certificate|\bSSL\b/i, 'tls'],
  [/association rejected/i, 'rejected'],
  [/does not accept|not accepted/i, 'notAccepted'],
  [/status A7|no space|HTTP 507/i, 'full'],
  [/HTTP 40[13]/i, 'forbidden'],
  [/status (A9|C)|acknowledged (AR|AE|CR|CE)|HTTP 4|redirect/i, 'refusedContent'],
  [/HTTP 5|HTTP 429|status (A|0)/i, 'serverError'],
  [/no answer|not answered|did not answer|only said|timed? ?out|closed/i, 'noAnswer'],
  [/no connection|refused|unreachable|no route|not reached|reset|not sent|connect/i, 'unreachable'],
];

export interface DeliveryWords {
  /** In plain words; as it was said where nobody knows what that means. */
  title: string;
  remedy: string | null;
  /** What was said, where the title says it in other words. */
  said: string | null;
}

/** What went wrong with a delivery in words that a person can do something with. */
export function deliveryWords(language: Language, said: string): DeliveryWords {
  const own = `deliveries.error.${said.replace(': ', '.')}`;
  if (isPlainKey(own)) return { title: textOf(language, own), remedy: null, said: null };
  const meant = MEANT.find(([pattern]) => pattern.test(said))?.[1];
  const key = `delivery.met.${meant ?? ''}`;
  if (meant === undefined || !isPlainKey(key)) return { title: said, remedy: null, said: null };
  const remedy = `${key}.remedy`;
  return {
    title: textOf(language, key),
    remedy: isPlainKey(remedy) ? textOf(language, remedy) : null,
    said,
  };
}

/** Why a report did not go its way, in a few words. */
export function deliveryError(language: Language, said: string): string {
  return deliveryWords(language, said).title;
}
