interface Early {
  began: number;
  answers: Map<string, Promise<Response>>;
}

declare global {
  interface Window {
    rdcEarly?: Early;
  }
}

/** An answer that waited longer is not given to anybody: somebody else may have signed in since. */
const FRESH = 10_000;

/** The answer that was asked for before the page itself was here; undefined when it was not, or was taken already. */
export function takeEarly(request: Request): Promise<Response> | undefined {
  const early = window.rdcEarly;
  if (early === undefined) return undefined;
  if (request.method !== 'GET') {
    // Whatever was asked before it may be otherwise now: who is signed in, or what became of an exam.
    early.answers.clear();
    return undefined;
  }
  const path = request.url.slice(location.origin.length);
  const answer = early.answers.get(path);
  early.answers.delete(path);
  return Date.now() - early.began < FRESH ? answer : undefined;
}
