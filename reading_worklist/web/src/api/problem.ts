/** What the server sends when it refuses (RFC 9457, with our members expected, found and remedy). */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail?: string;
  expected?: string;
  found?: string;
  remedy?: string;
  /** Of a wrong PIN: how many more are taken before the key is locked. */
  attempts_left?: number;
  /** Of a locked key: when the next attempt counts. */
  locked_until?: string;
  /** Of a template or a value of one: what is wrong, with which field, and what was wanted. */
  flaw?: string;
  field?: string;
  wanted?: string;
}

const TYPE_PREFIX = 'urn:rdc:problem:';

/** Status of a request that never reached the server. */
export const NO_ANSWER = 0;

/** A refused or failed request, in the shape that every page shows. */
export class Problem extends Error {
  readonly document: ProblemDocument;

  constructor(document: ProblemDocument) {
    super(document.title);
    this.name = 'Problem';
    this.document = document;
  }

  get status(): number {
    return this.document.status;
  }

  /** The stable word for the kind of problem; the catalogue translates those it knows. */
  get code(): string {
    const { type } = this.document;
    return type.startsWith(TYPE_PREFIX) ? type.slice(TYPE_PREFIX.length) : type;
  }

  /** Whether asking again later may help without the person doing anything. */
  get passing(): boolean {
    return this.status === NO_ANSWER || this.status >= 500;
  }
}

/** Reads the body of a failed answer; anything that is no problem document is told by its status alone. */
export function problemFrom(status: number, body: unknown): Problem {
  if (typeof body === 'object' && body !== null && 'title' in body && typeof body.title === 'string') {
    const given = body as Partial<ProblemDocument> & { title: string };
    return new Problem({ ...given, type: given.type ?? 'about:blank', status: given.status ?? status });
  }
  return new Problem({ type: `${TYPE_PREFIX}unexpected-answer`, title: `HTTP ${status}`, status });
}

/** Turns whatever was thrown into a Problem; a fetch that found no server becomes `no-answer`. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TypeError) {
    return new Problem({ type: `${TYPE_PREFIX}no-answer`, title: 'No answer', status: NO_ANSWER });
  }
  const title = error instanceof Error ? error.message : String(error);
  return new Problem({ type: `${TYPE_PREFIX}page-failed`, title, status: 500 });
}
