import { isPlainKey, type Language, textOf } from './catalogue';

/** Why a report did not go its way: in words of the page where the reason is ours, else as the other side said it. */
export function deliveryError(language: Language, said: string): string {
  const key = `deliveries.error.${said.replace(': ', '.')}`;
  return isPlainKey(key) ? textOf(language, key) : said;
}
