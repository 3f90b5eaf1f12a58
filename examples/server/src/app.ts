/**
 * What the server answers.
 *
 *   POST /explain   a picture → overlay, LOVI, saliency or FastCAM, or the numbers as JSON
 *   GET /health     { status, pictures }: how many are being explained, or wait for it
 */

import type { Pool, PoolResult } from 'fastcam/node';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Limits } from './limits.js';
import { type Query, readQuery, type View } from './options.js';
import { asProblem, Problem } from './problem.js';

type Env = { Variables: { query: Query } };

export function makeApp(pool: Pool, limits: Limits): Hono<Env> {
  const app = new Hono<Env>();
  let pictures = 0;

  app.get('/health', (c) => c.json({ status: 'ok', pictures }));

  const checked: MiddlewareHandler<Env> = async (c, next) => {
    const { searchParams } = new URL(c.req.url);
    c.set('query', readQuery(searchParams, c.req.header('accept') ?? '', limits));
    checkType(c.req.header('content-type') ?? 'none');
    await next();
  };
  const limited = bodyLimit({
    maxSize: limits.bodyBytes,
    onError() {
      throw new Problem(413, 'too-large', `at most ${limits.bodyBytes} bytes are taken`);
    },
  });
  // What can be refused is refused before the body is looked at, which the connection then survives.
  app.post('/explain', checked, limited, async (c) => {
    const { view, options } = c.get('query');
    const bytes = await bodyOf(c);
    const signal = AbortSignal.timeout(limits.explainMs);
    pictures++;
    try {
      return answer(await pool.explain(bytes, { ...options, signal }), view);
    } finally {
      pictures--;
    }
  });

  app.all('/explain', () => {
    throw new Problem(405, 'method', 'expected POST', { allow: 'POST' });
  });
  app.notFound(() => new Problem(404, 'no-such-path', 'expected /explain or /health').toResponse());
  app.onError((error) => asProblem(error).toResponse());
  return app;
}

/** Which kind of picture it is, the bytes tell. */
function checkType(type: string): void {
  if (/^(image\/|application\/octet-stream\b)/i.test(type)) return;
  throw new Problem(415, 'content-type', `content-type: expected image/…, got ${type}`);
}

async function bodyOf(c: Context): Promise<Uint8Array> {
  try {
    return new Uint8Array(await c.req.arrayBuffer());
  } catch {
    throw new Problem(400, 'no-body', 'the body has not arrived');
  }
}

function answer({ report, pictures }: PoolResult, view: View): Response {
  const headers = { 'cache-control': 'no-store' };
  if (view === 'json') {
    // What is left out tells of files.
    const { input, files: _, ...rest } = report;
    const { path: _p, ...size } = input;
    return Response.json({ input: size, ...rest }, { headers });
  }
  const { name, bytes } = pictures[0]!;
  const ending = name.slice(name.lastIndexOf('.') + 1);
  const type = `image/${ending === 'jpg' ? 'jpeg' : ending}`;
  return new Response(bytes, { headers: { ...headers, 'content-type': type } });
}
