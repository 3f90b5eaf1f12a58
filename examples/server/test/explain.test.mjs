/** What is answered, and what is refused, over HTTP. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { explainFile, makePool } from 'fastcam/node';
import { LIMITS } from '../dist/limits.js';
import { makeServer } from '../dist/server.js';
import { assertProblem, cat, post, rocket } from './requests.mjs';

const CAT_PIXELS = 451 * 300;

let pool;
const servers = [];
before(async () => {
  pool = await makePool({ size: 1, maxQueue: 2 });
});
after(async () => {
  for (const server of servers) server.close();
  await pool.close();
});

/** A server on the pool for all, with limits of its own. */
async function serve(limits = {}) {
  const server = makeServer(pool, { ...LIMITS, ...limits });
  servers.push(server);
  server.listen(0, 'localhost');
  await once(server, 'listening');
  return `http://localhost:${server.address().port}`;
}

describe('what is answered', () => {
  let url;
  before(async () => {
    url = await serve();
  });

  for (const view of ['overlay', 'lovi', 'saliency', 'fastcam']) {
    it(`${view}, as explainFile draws it`, async () => {
      const response = await post(url, `/explain?as=${view}&format=png`, cat);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'image/png');
      const { pictures } = await explainFile({ name: 'picture', bytes: cat }, { only: [view] });
      assert.ok(Buffer.from(await response.arrayBuffer()).equals(pictures[0].bytes));
    });
  }

  it('the overlay as WebP where nothing is asked for, JPEG where that is', async () => {
    const plain = await post(url, '/explain', rocket, { 'content-type': 'image/jpeg' });
    assert.equal(plain.headers.get('content-type'), 'image/webp');
    const webp = Buffer.from(await plain.arrayBuffer());
    assert.equal(webp.toString('latin1', 8, 12), 'WEBP');
    const jpeg = await post(url, '/explain?as=overlay&format=jpeg', rocket);
    assert.equal(jpeg.headers.get('content-type'), 'image/jpeg');
    assert.equal(Buffer.from(await jpeg.arrayBuffer()).readUInt16BE(), 0xffd8);
  });

  it('the numbers of explainFile where JSON is accepted, without paths', async () => {
    const headers = { 'content-type': 'image/png', accept: 'application/json' };
    const numbers = await (await post(url, '/explain', cat, headers)).json();
    const { report } = await explainFile({ name: 'picture', bytes: cat }, {});
    const { path: _, ...input } = report.input;
    const { files: _f, ms: _m, ...rest } = JSON.parse(JSON.stringify({ ...report, input }));
    const { ms, ...lasting } = numbers;
    assert.deepEqual(lasting, rest);
    assert.ok(ms.network > 0);
  });

  it('for a class by name or number, with the options of the command line', async () => {
    const query =
      'statistic=sd&normalizer=gamma&scale-weights=1,2,3,4,5&cam=xgradcam&class=tabby&fit=crop&size=96';
    const byName = await (await post(url, `/explain?as=json&${query}`, cat)).json();
    assert.equal(byName.target.label, 'tabby');
    assert.deepEqual(byName.input.networkInput, [96, 96]);
    const { index } = byName.target;
    const byNumber = await (await post(url, `/explain?as=json&class=${index}`, cat)).json();
    assert.deepEqual(byNumber.target, byName.target);
  });
});

describe('what is refused', () => {
  let url;
  before(async () => {
    url = await serve();
  });

  for (const query of [
    'as=sheet',
    'statistic=kurtosis',
    'normalizer=none',
    'scale-weights=1,2',
    'scale-weights=1,,2',
    'cam=scorecam',
    'class=unicorn',
    'class=200',
    'fit=tight',
    'size=0',
    'size=100000',
    'format=gif',
    'colour=jet',
    'as=fastcam&cam=none',
  ]) {
    it(`?${query}`, async () => {
      const { detail } = await assertProblem(
        await post(url, `/explain?${query}`, cat),
        400,
        'bad-option',
      );
      assert.ok(detail.startsWith(query.split('=')[0]), detail);
    });
  }

  it('another path, another method', async () => {
    await assertProblem(await post(url, '/', cat), 404, 'no-such-path');
    const get = await fetch(`${url}/explain`);
    assert.equal(get.headers.get('allow'), 'POST');
    await assertProblem(get, 405, 'method');
  });

  it('another type, in word or in deed', async () => {
    const html = await post(url, '/explain', cat, { 'content-type': 'text/html' });
    await assertProblem(html, 415, 'content-type');
    await assertProblem(await post(url, '/explain', 'no picture'), 422, 'bad-picture');
    await assertProblem(await post(url, '/explain', ''), 422, 'bad-picture');
    await assertProblem(await post(url, '/explain', cat.subarray(0, 5000)), 422, 'bad-picture');
  });

  it('what is no HTTP', async () => {
    const answer = await speak(url, 'hello\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 400 .*application\/problem\+json.*"code":"bad-request"/s);
  });
});

describe('limits', () => {
  it('a file of too many bytes, announced or not', async () => {
    const url = await serve({ bodyBytes: 1000 });
    await assertProblem(await post(url, '/explain', Buffer.alloc(1001)), 413, 'too-large');
    const stream = new Blob([Buffer.alloc(100_000)]).stream();
    await assertProblem(await post(url, '/explain', stream), 413, 'too-large');
  });

  it('a picture of too many pixels, and one of as many as are taken', async () => {
    const most = await serve({ pixels: CAT_PIXELS });
    assert.equal((await post(most, '/explain', cat)).status, 200);
    const fewer = await serve({ pixels: CAT_PIXELS - 1 });
    const { detail } = await assertProblem(await post(fewer, '/explain', cat), 413, 'too-large');
    assert.match(detail, /451×300/);
  });

  it('a picture that takes too long, and the next is explained', async () => {
    const hasty = await serve({ explainMs: 1 });
    await assertProblem(await post(hasty, '/explain', cat), 504, 'timeout');
    const patient = await serve();
    assert.equal((await post(patient, '/explain', cat)).status, 200);
  });

  it('more pictures than may wait: they may come again', async () => {
    const url = await serve();
    const responses = await Promise.all(
      Array.from({ length: 8 }, () => post(url, '/explain', cat)),
    );
    const refused = responses.filter(({ status }) => status !== 200);
    // One is worked at and two wait; how many have been answered when the last arrives is not known.
    assert.ok(refused.length >= 1 && refused.length <= 5, `${refused.length} are refused`);
    for (const response of refused) {
      assert.equal(response.headers.get('retry-after'), '2');
      await assertProblem(response, 503, 'busy');
    }
  });

  it('a body that does not arrive', async () => {
    const url = await serve({ bodyMs: 300 });
    const head = 'POST /explain HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\n';
    const answer = await speak(url, `${head}content-length: 1000\r\n\r\nhalf of it`);
    assert.match(answer, /^HTTP\/1\.1 408 .*application\/problem\+json.*"code":"timeout"/s);
    assert.match(await speak(url, head), /^HTTP\/1\.1 408 /);
    const { pictures } = await (await fetch(`${url}/health`)).json();
    assert.equal(pictures, 0);
  });
});

/** Sends this, and reads until the server ends the connection. */
async function speak(url, text) {
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(text);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}
