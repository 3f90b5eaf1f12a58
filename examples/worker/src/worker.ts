/**
 * What the worker answers, whichever network is in its bundle.
 *
 *   POST /explain   a PNG, JPEG or WebP, or ?url= → overlay, LOVI, saliency or FastCAM as PNG, or JSON
 *   POST /batch     { "keys": […] } of pictures in R2 → results in R2, by way of a queue
 */

import { checkRate, checkToken } from './access.js';
import { answer } from './answer.js';
import { consume, enqueue, type Job } from './batch.js';
import { announcedLength, type ByteSource, discard, withBytes } from './body.js';
import { answerPreflight, checkOrigin, isPreflight, withCors } from './cors.js';
import type { Env } from './env.js';
import { LIMITS } from './limits.js';
import { theModel } from './model.js';
import { explainOptions, viewOf } from './options.js';
import { asProblem, Problem } from './problem.js';
import { fetchPicture } from './remote-picture.js';

type Context = Pick<ExecutionContext, 'waitUntil'>;
interface Route {
  answer(request: Request, env: Env, ctx: Context): Promise<Response>;
  needsToken(env: Env): boolean;
}

const ROUTES: ReadonlyMap<string, Route> = new Map([
  [
    '/explain',
    {
      answer: explain,
      needsToken: ({ EXPLAIN_NEEDS_TOKEN = false }: Env) => EXPLAIN_NEEDS_TOKEN !== false,
    },
  ],
  ['/batch', { answer: enqueue, needsToken: () => true }],
]);

export default {
  async fetch(request, env, ctx) {
    return withCors(await respond(request, env, ctx), request, env);
  },

  queue: consume,
} satisfies ExportedHandler<Env, Job>;

/** Attempts are counted before the token is looked at, so that it cannot be guessed quickly. */
async function respond(request: Request, env: Env, ctx: Context): Promise<Response> {
  try {
    const route = routeOf(request);
    checkOrigin(request, env);
    if (isPreflight(request)) return answerPreflight();
    await checkRate(request, env);
    if (route.needsToken(env)) await checkToken(request, env);
    return await route.answer(request, env, ctx);
  } catch (error) {
    await discard(request.body);
    return asProblem(error).toResponse();
  }
}

function routeOf(request: Request): Route {
  const route = ROUTES.get(new URL(request.url).pathname);
  if (route === undefined) {
    throw new Problem(404, 'no-such-path', `expected ${[...ROUTES.keys()].join(' or ')}`);
  }
  if (request.method !== 'POST' && !isPreflight(request)) {
    throw new Problem(405, 'method', 'expected POST', { allow: 'POST' });
  }
  return route;
}

/** What can be refused is refused before the body is read, and that before the network is loaded. */
async function explain(request: Request, env: Env, ctx: Context): Promise<Response> {
  const { searchParams } = new URL(request.url);
  const options = explainOptions(searchParams);
  const view = viewOf(searchParams, request.headers.get('accept') ?? '');
  const url = searchParams.get('url');
  const milliseconds = url === null ? LIMITS.bodyMs : LIMITS.urlMs;
  const signal = AbortSignal.timeout(milliseconds);
  try {
    const source =
      url === null ? bodyOf(request) : await fetchPicture(url, env.URL_HOSTS ?? [], signal);
    return await withBytes(source, { limit: LIMITS.bodyBytes, signal }, async (bytes) => {
      const { body, type } = answer(await theModel(env, ctx), bytes, options, view);
      return new Response(body, { headers: { 'content-type': type, 'cache-control': 'no-store' } });
    });
  } catch (error) {
    if (error instanceof Problem || !signal.aborted) throw error;
    const status = url === null ? 408 : 504;
    throw new Problem(status, 'timeout', `no picture within ${milliseconds / 1000} s`);
  }
}

const PICTURE_TYPES = ['image/png', 'image/jpeg', 'image/webp'];

function bodyOf(request: Request): ByteSource {
  const [type = ''] = (request.headers.get('content-type') ?? 'none').toLowerCase().split(';');
  if (!PICTURE_TYPES.includes(type.trim())) {
    const expected = PICTURE_TYPES.join(', ');
    throw new Problem(415, 'content-type', `content-type: expected ${expected}, got ${type}`);
  }
  return { body: request.body, length: announcedLength(request.headers) };
}
