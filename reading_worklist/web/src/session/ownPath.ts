/** Only paths of our own: an address from outside must not decide where a sign-in leads. */
export function ownPath(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : '/';
}
