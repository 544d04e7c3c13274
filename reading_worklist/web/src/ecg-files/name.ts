import type { EcgFile } from './queries';

/** The name that a file states, as a person writes it: Han without a space between, others with one. */
export function nameOf(file: EcgFile): string {
  const parts = (file.summary?.patient_name ?? '').split('^').filter((part) => part !== '');
  return parts.join(parts.every((part) => /^\p{Script=Han}+$/u.test(part)) ? '' : ' ');
}
