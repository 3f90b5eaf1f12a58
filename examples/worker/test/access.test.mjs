/** Who may call the worker, how often, and from which pages. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cat } from './pictures.mjs';
import { built, minuteAhead, start } from './workerd.mjs';

const TOKEN = 'a-secret-of-the-tests';
const BATCH = JSON.stringify({ keys: ['cat.png'] });

/** A worker with these bindings; it stops with the test. */
async function startWith(t, options) {
  const worker = await start(options);
  t.after(() => worker.stop());
  return worker;
}

function batchWith(worker, authorization) {
  const headers = authorization === undefined ? {} : { authorization };
  return worker.post('/batch', BATCH, 'application/json', headers);
}

function assertProblem({ status, json }, expectedStatus, code) {
  assert.equal(json?.error.code, code, JSON.stringify(json));
  assert.equal(status, expectedStatus);
}

describe('the token', () => {
  it('opens batches; no other does, and none', async (t) => {
    const worker = await startWith(t, { bindings: { API_TOKEN: TOKEN } });
    for (const wrong of [
      undefined,
      TOKEN,
      'Bearer',
      `Basic ${TOKEN}`,
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(0, -1)}`,
      `Bearer ${TOKEN.toUpperCase()}`,
      `Bearer ${TOKEN} ${TOKEN}`,
    ]) {
      const answer = await batchWith(worker, wrong);
      assertProblem(answer, 401, 'token');
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
    }
    // Past the token, there is no queue here.
    for (const right of [`Bearer ${TOKEN}`, `bearer  ${TOKEN}`]) {
      assertProblem(await batchWith(worker, right), 503, 'no-queue');
    }
  });

  it('is none where it is empty or not there: batches are off then, and pictures are explained', async (t) => {
    for (const bindings of [{}, { API_TOKEN: '' }]) {
      const worker = await startWith(t, { bindings });
      for (const authorization of [undefined, 'Bearer', 'Bearer ', `Bearer ${TOKEN}`]) {
        assertProblem(await batchWith(worker, authorization), 503, 'no-token');
      }
      assert.equal((await worker.post('/explain', cat)).status, 200);
    }
  });

  it('is asked for by /explain too, by choice', async (t) => {
    const worker = await startWith(t, {
      bindings: { API_TOKEN: TOKEN, EXPLAIN_NEEDS_TOKEN: true },
    });
    assertProblem(await worker.post('/explain', cat), 401, 'token');
    const authorization = `Bearer ${TOKEN}`;
    const { status } = await worker.post('/explain', cat, 'image/png', { authorization });
    assert.equal(status, 200);
  });

  it('keeps /explain shut where it is asked for and not there, or asked for by a text', async (t) => {
    const without = await startWith(t, { bindings: { EXPLAIN_NEEDS_TOKEN: true } });
    assertProblem(await without.post('/explain', cat), 503, 'no-token');
    const bindings = { API_TOKEN: TOKEN, EXPLAIN_NEEDS_TOKEN: 'true' };
    const byText = await startWith(t, { bindings });
    assertProblem(await byText.post('/explain', cat), 401, 'token');
  });
});

describe('the rate limit', () => {
  const LIMIT = 3;
  const ratelimits = {
    RATE_LIMITER: { namespace_id: '1', simple: { limit: LIMIT, period: 60 } },
  };
  const from = (worker, address, path = '/explain') =>
    worker.post(path, 'no picture', 'image/png', { 'cf-connecting-ip': address });

  /** Statuses of one request more than are allowed. */
  async function exhaust(worker, address, path) {
    const statuses = [];
    for (let i = 0; i <= LIMIT; i++) statuses.push((await from(worker, address, path)).status);
    return statuses;
  }

  it('sends away who asks too often, and nobody else', async (t) => {
    const worker = await startWith(t, { ratelimits });
    await minuteAhead();
    assert.deepEqual(await exhaust(worker, '192.0.2.1'), [415, 415, 415, 429]);
    const refused = await from(worker, '192.0.2.1');
    assertProblem(refused, 429, 'too-often');
    assert.equal(refused.headers.get('retry-after'), '60');
    assert.equal((await from(worker, '192.0.2.11')).status, 415);
  });

  it('counts the IPv6 addresses of one customer together', async (t) => {
    const worker = await startWith(t, { ratelimits });
    await minuteAhead();
    await exhaust(worker, '2001:db8:0:7::1');
    for (const same of ['2001:db8:0:7:a:b:c:d', '2001:db8::7:0:0:0:2']) {
      assert.equal((await from(worker, same)).status, 429, same);
    }
    for (const other of ['2001:db8:0:8::1', '2001:db8::7']) {
      assert.equal((await from(worker, other)).status, 415, other);
    }
  });

  it('counts those who guess the token', async (t) => {
    const worker = await startWith(t, { ratelimits, bindings: { API_TOKEN: TOKEN } });
    await minuteAhead();
    assert.deepEqual(await exhaust(worker, '192.0.2.1', '/batch'), [401, 401, 401, 429]);
  });
});

describe('pages of other sites', () => {
  const SHOP = 'https://shop.example';
  const bindings = { ALLOWED_ORIGINS: [SHOP], API_TOKEN: TOKEN };
  const preflight = (worker, origin, path = '/explain') =>
    worker.request(path, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });

  it('may call where they are listed, and read errors too', async (t) => {
    const worker = await startWith(t, { bindings });
    const asked = await preflight(worker, SHOP);
    assert.equal(asked.status, 204);
    assert.equal(asked.headers.get('access-control-allow-origin'), SHOP);
    assert.equal(asked.headers.get('access-control-allow-methods'), 'POST');
    assert.match(asked.headers.get('access-control-allow-headers'), /authorization.*content-type/);
    assert.equal((await preflight(worker, SHOP, '/batch')).status, 204);
    const answer = await worker.post('/explain?as=json', cat, 'image/png', { origin: SHOP });
    assert.equal(answer.status, 200);
    const refused = await worker.post('/batch', BATCH, 'application/json', { origin: SHOP });
    assert.equal(refused.status, 401);
    for (const { headers } of [answer, refused]) {
      assert.equal(headers.get('access-control-allow-origin'), SHOP);
      assert.equal(headers.get('vary'), 'origin');
    }
  });

  it('may not where they are not: nothing is explained for them', async (t) => {
    const worker = await startWith(t, { bindings });
    for (const origin of [
      'https://other.example',
      'https://shop.example.other.example',
      'https://shop.example:8443',
      'http://shop.example',
      'null',
    ]) {
      for (const answer of [
        await preflight(worker, origin),
        await worker.post('/explain', cat, 'image/png', { origin }),
      ]) {
        assertProblem(answer, 403, 'origin');
        assert.equal(answer.headers.get('access-control-allow-origin'), null);
      }
    }
    assert.equal(worker.loads(), 0);
  });

  it('are none of those of its own site, nor what is no page', async (t) => {
    const worker = await startWith(t);
    const own = await worker.post('/explain', cat, 'image/png', {
      origin: 'https://fastcam.example',
    });
    assert.equal(own.status, 200);
    const { status, headers } = await worker.post('/explain', cat);
    assert.equal(status, 200);
    assert.equal(headers.get('access-control-allow-origin'), null);
    assertProblem(await preflight(worker, SHOP), 403, 'origin');
  });

  it('ask before they send; OPTIONS of anything else is no method', async (t) => {
    const worker = await startWith(t, { bindings });
    const { status, headers } = await worker.request('/explain', { method: 'OPTIONS' });
    assert.equal(status, 405);
    assert.equal(headers.get('allow'), 'POST');
    assert.equal((await preflight(worker, SHOP, '/elsewhere')).status, 404);
  });
});

describe('as wrangler.jsonc has it', {
  skip: Number.parseInt(process.versions.node, 10) < 22 && 'wrangler runs from Node 22 on',
}, () => {
  for (const environment of [undefined, 'onnx', 'batch']) {
    it(`a rate limit and no batches without a secret: ${environment ?? 'by default'}`, async (t) => {
      const { unstable_readConfig: readConfig } = await import('wrangler');
      const config = fileURLToPath(new URL('../wrangler.jsonc', import.meta.url));
      const { vars, ratelimits } = readConfig({ config, env: environment });
      const options = {
        name: 'worker',
        bindings: vars,
        ratelimits: Object.fromEntries(ratelimits.map(({ name, ...limit }) => [name, limit])),
      };
      const folder = environment === 'onnx' ? 'onnx/' : '';
      const worker = await startWith(t, { workers: [built(options, folder)] });
      await minuteAhead();
      const requests = Array.from({ length: 200 }, () => batchWith(worker));
      const statuses = (await Promise.all(requests)).map(({ status }) => status);
      assert.deepEqual([...new Set(statuses)].sort(), [429, 503]);
      assert.equal(statuses.filter((status) => status === 503).length, ratelimits[0].simple.limit);
    });
  }
});
