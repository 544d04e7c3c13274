import { isPlainKey, type Language, textOf } from '../i18n/catalogue';

/** Roles as people call them, in one line; a role that the catalogue does not know stays as it is. */
export function roleNames(language: Language, roles: readonly string[]): string {
  return roles
    .map((role) => {
      const key = `role.${role}`;
      return isPlainKey(key) ? textOf(language, key) : role;
    })
    .join(textOf(language, 'app.listSeparator'));
}
