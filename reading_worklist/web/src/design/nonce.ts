/** The value that this page's style elements must carry: the server allows no others (see safe_headers.py). */
export const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';

/** For Ant Design's `ConfigProvider`, whose components write their styles when they first appear. */
export const csp = { nonce };

/**
 * Lets libraries that know nothing of it style the page under its policy; call it before they do.
 *
 * Scripts come from our server alone, so what they make is ours: their style elements get the nonce. Elements that
 * somebody slipped in as markup do not pass here. A text area that measures itself writes a style attribute, which
 * the policy forbids, where the same through the object model is allowed (CSP3 §8.1).
 */
export function styleWithinPolicy(): void {
  /* eslint-disable @typescript-eslint/no-deprecated -- of its overloads the one for any name is */
  const create = document.createElement.bind(document);
  document.createElement = (name: string, options?: ElementCreationOptions): HTMLElement => {
    const made = create(name, options);
    if (made instanceof HTMLStyleElement) made.nonce = nonce;
    return made;
  };
  /* eslint-enable @typescript-eslint/no-deprecated */
  HTMLTextAreaElement.prototype.setAttribute = function (name: string, value: string): void {
    if (name === 'style') this.style.cssText = value;
    else Element.prototype.setAttribute.call(this, name, value);
  };
}
