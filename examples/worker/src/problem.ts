/** What goes wrong, as the caller gets to see it: `{ error: { code, message } }` and a status. */

export class Problem extends Error {
  override readonly name: string = 'Problem';
  readonly status: number;
  readonly code: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.#headers = headers;
  }

  /** The same request may succeed later. */
  get temporary(): boolean {
    return this.status >= 500;
  }

  toJSON(): object {
    return { error: { code: this.code, message: this.message } };
  }

  toResponse(): Response {
    return Response.json(this, { status: this.status, headers: this.#headers });
  }
}

/** Nobody's fault but the worker's: told in the log, not to the caller. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  console.error(error);
  return new Problem(500, 'internal', 'the worker failed; its log tells why');
}
