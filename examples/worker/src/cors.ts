/** Pages of other sites: only those whose origin `ALLOWED_ORIGINS` lists may call the worker. */

import type { Env } from './env.js';
import { Problem } from './problem.js';

const DAY_SECONDS = '86400';

/** Whether a browser asks what a page may send, before it sends it. */
export function isPreflight({ method, headers }: Request): boolean {
  return method === 'OPTIONS' && headers.has('access-control-request-method');
}

/**
 * Refuses pages that are not listed. Leaving out the headers would not do: the browser would hide the answer, but the
 * picture would be explained all the same.
 *
 * @throws {Problem} 403 for a page of another site that is not listed
 */
export function checkOrigin(request: Request, env: Env): void {
  const origin = request.headers.get('origin');
  if (origin !== null && !isAllowed(origin, request, env)) {
    throw new Problem(403, 'origin', 'pages of this origin may not call the worker');
  }
}

export function answerPreflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'accept, authorization, content-type',
      'access-control-max-age': DAY_SECONDS,
    },
  });
}

/** Lets an allowed page read the response, an error too. */
export function withCors(response: Response, request: Request, env: Env): Response {
  const origin = request.headers.get('origin');
  response.headers.append('vary', 'origin');
  if (origin !== null && isAllowed(origin, request, env)) {
    response.headers.set('access-control-allow-origin', origin);
    response.headers.set('access-control-expose-headers', 'retry-after');
  }
  return response;
}

/** A browser names the origin also where a page calls its own site. */
function isAllowed(origin: string, { url }: Request, { ALLOWED_ORIGINS = [] }: Env): boolean {
  return origin === new URL(url).origin || ALLOWED_ORIGINS.includes(origin);
}
