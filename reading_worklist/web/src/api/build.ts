/**
 * Why a part of a page cannot be shown: `replaced`, the server has another build of the pages by now; `unreachable`, it
 * does not answer; `broken`, anything else.
 */
export type Failure = 'replaced' | 'unreachable' | 'broken';

/**
 * Asks the server why. A file that is missing and a script that has failed look alike in every browser, and an old page
 * may fail at a new answer too; but each build names its first script after all that it holds.
 */
export async function whyFailed(
  scripts: readonly string[] = scriptsHere(),
  ask: () => Promise<Response> = () => fetch('/', { cache: 'no-store' }),
): Promise<Failure> {
  let page: string;
  try {
    const answer = await ask();
    if (!answer.ok) return 'unreachable';
    page = await answer.text();
  } catch {
    return 'unreachable';
  }
  return scripts.every((script) => page.includes(`"${script}"`)) ? 'broken' : 'replaced';
}

function scriptsHere(): string[] {
  return [...document.querySelectorAll('script[type="module"][src]')].map((one) => one.getAttribute('src') ?? '');
}
