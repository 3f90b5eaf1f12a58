/** The process: many pictures at once, and its end. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { explainFile } from 'fastcam/node';
import { startProcess } from './process.mjs';
import { cat, post, rocket } from './requests.mjs';

const UPLOADS = 20;

/** Asks until so many pictures are under way. */
async function underWay(url, count) {
  for (;;) {
    const { status, pictures } = await (await fetch(`${url}/health`)).json();
    assert.equal(status, 'ok');
    if (pictures === count) return;
  }
}

describe('twenty pictures at once', () => {
  let server;
  before(async () => {
    server = await startProcess();
  });
  after(async () => {
    server.kill('SIGTERM');
    await server.ended;
  });

  it('are all answered, as explainFile answers, and others are answered meanwhile', async () => {
    const inputs = [cat, rocket];
    let answered = 0;
    const uploads = Array.from({ length: UPLOADS }, async (_, i) => {
      const response = await post(server.url, '/explain', inputs[i % 2]);
      assert.equal(response.status, 200);
      const bytes = Buffer.from(await response.arrayBuffer());
      answered++;
      return bytes;
    });
    const all = Promise.all(uploads);
    let asked = 0;
    while (answered < UPLOADS) {
      const response = await fetch(`${server.url}/health`);
      assert.equal(response.status, 200);
      await response.json();
      asked++;
    }
    // Where pictures are explained between requests, they keep a request waiting for several of them.
    assert.ok(asked > 2 * UPLOADS, `${asked} other requests were answered meanwhile`);
    const overlays = await Promise.all(
      inputs.map(async (bytes) => {
        const options = { only: ['overlay'], format: 'webp' };
        const { pictures } = await explainFile({ name: 'picture', bytes }, options);
        return Buffer.from(pictures[0].bytes);
      }),
    );
    for (const [i, bytes] of (await all).entries()) assert.ok(bytes.equals(overlays[i % 2]));
  });
});

describe('SIGTERM', () => {
  it('lets what is under way be answered, takes nothing more, and ends with 0', async () => {
    const server = await startProcess();
    const uploads = [cat, cat, rocket, rocket].map((bytes) =>
      post(server.url, '/explain?as=json', bytes),
    );
    await underWay(server.url, uploads.length);
    server.kill('SIGTERM');
    const responses = await Promise.all(uploads);
    assert.deepEqual(
      responses.map(({ status }) => status),
      uploads.map(() => 200),
    );
    const labels = await Promise.all(responses.map(async (one) => (await one.json()).top[0].label));
    assert.deepEqual(labels.slice(0, 2), ['Egyptian cat', 'Egyptian cat']);
    assert.equal(await server.ended, 0);
    await assert.rejects(fetch(`${server.url}/health`));
  });
});
