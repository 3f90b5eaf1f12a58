/** ?url=: what is asked for, of whom, and what is not. */

import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { Response } from 'miniflare';
import { cat } from './pictures.mjs';
import { start } from './workerd.mjs';

/** The world, by path of the one allowed host. */
const PAGES = {
  '/cat.png': () => new Response(cat),
  '/moved': () => redirect('/cat.png'),
  '/elsewhere': () => redirect('https://other.example/cat.png'),
  '/plain': () => redirect('http://pictures.example/cat.png'),
  '/inside': () => redirect('http://169.254.169.254/latest/meta-data'),
  '/circle': () => redirect('/circle'),
  '/large': () => new Response(new Blob([Buffer.alloc(5 << 20)]).stream()),
  '/page': () => new Response('<html>'),
  '/stalled': () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) })),
};

const asked = [];
let worker;
before(async () => {
  worker = await start({
    bindings: { URL_HOSTS: ['pictures.example'] },
    outboundService: (request) => {
      const { host, pathname } = new URL(request.url);
      asked.push(host);
      return PAGES[pathname]?.() ?? new Response('', { status: 404 });
    },
  });
});
after(() => worker.stop());

function redirect(location) {
  return new Response(null, { status: 302, headers: { location } });
}

function explain(url) {
  const path = `/explain?as=json&url=${encodeURIComponent(url)}`;
  return worker.request(path, { method: 'POST' });
}

for (const path of ['cat.png', 'moved']) {
  it(`explains /${path}`, async () => {
    const { status, json } = await explain(`https://pictures.example/${path}`);
    assert.equal(status, 200);
    assert.equal(json.top[0].label, 'Egyptian cat');
  });
}

for (const url of [
  'http://pictures.example/cat.png',
  'https://other.example/cat.png',
  'https://pictures.example.evil.example/cat.png',
  'https://evil.pictures.example/cat.png',
  'https://pictures.example:8443/cat.png',
  'https://pictures.example@other.example/cat.png',
  'https://somebody:secret@pictures.example/cat.png',
  'https://127.0.0.1/cat.png',
  'https://[::1]/cat.png',
  'file:///etc/passwd',
  'data:image/png;base64,AAAA',
  'cat.png',
  'https://pictures.example/elsewhere',
  'https://pictures.example/plain',
  'https://pictures.example/inside',
]) {
  it(`refuses ${url}`, async () => {
    const { status, json } = await explain(url);
    assert.equal(json.error.code, 'url-refused');
    assert.equal(status, 400);
  });
}

for (const [path, status, code] of [
  ['circle', 502, 'url-failed'],
  ['missing', 502, 'url-failed'],
  ['large', 413, 'too-large'],
  ['page', 415, 'not-a-picture'],
  ['stalled', 504, 'timeout'],
]) {
  it(`tells that /${path} is no good: ${code}`, async () => {
    const { status: actual, json } = await explain(`https://pictures.example/${path}`);
    assert.equal(json.error.code, code);
    assert.equal(actual, status);
  });
}

it('asked nobody but the host that is allowed', () => {
  assert.deepEqual([...new Set(asked)], ['pictures.example']);
});

it('refuses every URL where no host is allowed', async (t) => {
  const closed = await start();
  t.after(() => closed.stop());
  const path = '/explain?url=https://pictures.example/cat.png';
  const { json } = await closed.request(path, { method: 'POST' });
  assert.equal(json.error.code, 'url-refused');
});
