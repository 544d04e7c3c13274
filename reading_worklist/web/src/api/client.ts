import createClient, { type Middleware } from 'openapi-fetch';

import { takeEarly } from './early';
import { IDLE_HEADER, someoneIsHere } from './presence';
import { asProblem, problemFrom } from './problem';
import type { paths } from './schema';
import { learnServerTime } from './serverClock';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

let csrfToken: string | null = null;
let language = 'zh-CN';
let onSignedOut: () => void = () => undefined;

/** Remembers the token that unsafe requests must repeat; null when nobody is signed in. */
export function keepCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** Sets the language in which the server's own words are asked for. */
export function askInLanguage(tag: string): void {
  language = tag;
}

/** Registers what happens when the server says that the session is over. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

const session: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept-Language', language);
    if (!someoneIsHere()) request.headers.set(IDLE_HEADER, '1');
    if (csrfToken !== null && !SAFE_METHODS.has(request.method)) request.headers.set('X-CSRF-Token', csrfToken);
    return request;
  },
  onResponse({ response, schemaPath }) {
    learnServerTime(response.headers.get('Date'));
    if (response.status === 401 && schemaPath !== '/api/session') onSignedOut();
  },
};

/** The typed client of our API; wrap each call in `answer` to get the body or a thrown Problem. */
export const api = createClient<paths>({
  baseUrl: '/',
  querySerializer: { array: { style: 'form', explode: true } },
  fetch: (request) => takeEarly(request) ?? fetch(request),
});
api.use(session);

interface Outcome<Body> {
  data?: Body;
  error?: unknown;
  response: Response;
}

/** Awaits a call and returns its body; throws a Problem when the server refused or did not answer. */
export async function answer<Body>(call: Promise<Outcome<Body>>): Promise<Body> {
  const { data, error, response } = await call.catch((reason: unknown) => {
    throw asProblem(reason);
  });
  if (!response.ok) throw problemFrom(response.status, error);
  return data as Body;
}

/** Fetches a document that is no JSON (PDF, SVG) from a path of ours; throws a Problem like `answer`. */
export async function fetchDocument(path: string, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      headers: { 'Accept-Language': language },
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw asProblem(error);
  }
  if (response.status === 401) onSignedOut();
  if (!response.ok) throw problemFrom(response.status, await bodyOf(response));
  return response;
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return null;
  }
}
