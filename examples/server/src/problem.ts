/** What goes wrong, as the caller gets to see it: problem details of RFC 9457. */

import { STATUS_CODES } from 'node:http';
import { FormatError, ShapeError } from 'fastcam';
import { PoolBusyError, TooManyPixelsError } from 'fastcam/node';

export class Problem extends Error {
  override readonly name: string = 'Problem';
  readonly status: number;
  /** For programs, beside the sentence for people. */
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = { ...headers, 'content-type': 'application/problem+json' };
  }

  /** The status tells the kind; so there is no `type`, which is then `about:blank`. */
  toJSON(): object {
    const { status, code, message } = this;
    return { title: STATUS_CODES[status], status, detail: message, code };
  }

  toResponse(): Response {
    return new Response(JSON.stringify(this), { status: this.status, headers: this.headers });
  }
}

/** What the pool throws, in terms of HTTP. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof PoolBusyError) {
    return new Problem(503, 'busy', error.message, { 'retry-after': '2' });
  }
  if (error instanceof TooManyPixelsError) return new Problem(413, 'too-large', error.message);
  if (error instanceof FormatError) return new Problem(422, 'bad-picture', error.message);
  if (error instanceof ShapeError) return new Problem(400, 'bad-option', asQuery(error.message));
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new Problem(504, 'timeout', 'the picture is not explained in time');
  }
  // Nobody's fault but the server's: told in the log, not to the caller.
  console.error(error);
  return new Problem(500, 'internal', 'the server failed; its log tells why');
}

/** A message of the library in the words of a query. */
function asQuery(message: string): string {
  return message
    .replace(/^target/, 'class')
    .replace(/^scaleWeights/, 'scale-weights')
    .replace(/^only/, 'as');
}
