/** What a resident identity number 居民身份证号码 (GB 11643-1999) says of its holder. */
export interface ResidentId {
  number: string;
  /** ISO date. */
  birthDate: string;
  sex: 'M' | 'F';
}

const NEW = /^[1-9]\d{16}[\dX]$/;
const OLD = /^[1-9]\d{14}$/;
const CHECK = '10X98765432';

/** The check character of the first 17 digits (ISO 7064 MOD 11-2). */
function checkCharacter(body: string): string {
  const digits = Array.from(body, Number);
  const sum = digits.reduce((total, digit, place) => total + digit * (2 ** (17 - place) % 11), 0);
  return CHECK[sum % 11] ?? '';
}

/** Whether somebody is typing such a number and nothing else. */
export function looksLikeResidentId(text: string): boolean {
  return /^\d{15}(\d{2}[\dXx]?)?$/.test(text.trim());
}

/** What a number of 18 characters, or an old one of 15, says; null when its check character or its day is wrong. */
export function residentIdOf(text: string): ResidentId | null {
  const typed = text.trim().toUpperCase().replaceAll(' ', '');
  const body = OLD.test(typed) ? `${typed.slice(0, 6)}19${typed.slice(6)}` : typed.slice(0, 17);
  const number = OLD.test(typed) ? body + checkCharacter(body) : typed;
  if (!NEW.test(number) || checkCharacter(body) !== number.at(-1)) return null;
  const birthDate = `${number.slice(6, 10)}-${number.slice(10, 12)}-${number.slice(12, 14)}`;
  const day = new Date(`${birthDate}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== birthDate) return null;
  return { number, birthDate, sex: Number(number[16]) % 2 === 1 ? 'M' : 'F' };
}
