/** What workerd takes at its peak, and what becomes of those who would take more. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { it } from 'node:test';
import { decodePicture } from 'fastcam/node';
import { largePictures, sizeOf } from './pictures.mjs';
import { webp } from './webp.mjs';
import { eventually, start } from './workerd.mjs';

/** Of an isolate. */
const MOST_BYTES = 128 * 1024 * 1024;

/** Bytes of the workerd that this process began, now (VmRSS) or at their peak (VmHWM). */
function residentBytes(field) {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ');
  const statuses = children.filter(Boolean).map((id) => readFileSync(`/proc/${id}/status`, 'utf8'));
  const status = statuses.find((text) => text.startsWith('Name:\tworkerd'));
  return 1024 * Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)[1]);
}

/**
 * Of the first request alone. Garbage is collected when memory runs short, which it does not here, so
 * that later requests tell nothing.
 */
async function peakBytes(t, picture, type) {
  const worker = await start();
  t.after(() => worker.stop());
  const idle = residentBytes('VmRSS');
  const { bytes } = await worker.post('/explain', picture, type);
  const peak = residentBytes('VmHWM') - idle;
  assert.deepEqual(sizeOf(bytes), [1280, 1024]);
  return peak;
}

const { png, jpeg } = await largePictures();
const noise = await webp(noisy(await decodePicture(png, 'png')), { lossless: 1 });

/** The more noise, the more memory libwebp takes. */
function noisy({ data, width, height }) {
  return { data: data.map((value, i) => value + (((7919 * i) >> 3) % 31)), width, height };
}

for (const [picture, type] of [
  [png, 'image/png'],
  [jpeg, 'image/jpeg'],
  [noise, 'image/webp'],
]) {
  it(`loads the network and explains an ${type} of the largest size within 128 MB`, {
    skip: !existsSync('/proc/self/status'),
  }, async (t) => {
    const peak = await peakBytes(t, picture, type);
    console.log(`${type}: ${(peak / 1e6).toFixed(0)} MB`);
    assert.ok(peak < MOST_BYTES, `${peak} bytes`);
  });
}

it('explains many of the largest pictures at once', async (t) => {
  const worker = await start();
  t.after(() => worker.stop());
  const requests = ['overlay', 'lovi', 'json', 'fastcam'].flatMap((view) => [
    worker.post(`/explain?as=${view}`, png),
    worker.post(`/explain?as=${view}&fit=crop`, jpeg, 'image/jpeg'),
  ]);
  const answers = await Promise.all(requests);
  assert.ok(answers.every(({ status }) => status === 200));
});

it('sends away who comes when bodies fill the memory, and serves them later', async (t) => {
  const worker = await start();
  t.after(() => worker.stop());
  const ends = [];
  const begun = (bytes) =>
    worker.request('/explain', {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      duplex: 'half',
      body: new ReadableStream({
        start(controller) {
          controller.enqueue(new Uint8Array(bytes));
          ends.push(() => controller.close());
        },
      }),
    });
  const slow = Array.from({ length: 3 }, () => begun(4 << 20));
  const small = () => worker.post('/explain', Buffer.alloc(1000));
  const busy = await eventually(async () => {
    const answer = await small();
    return answer.status === 503 && answer;
  });
  assert.equal(busy.json.error.code, 'busy');
  ends[0]();
  assert.equal((await slow[0]).json.error.code, 'not-a-picture');
  assert.equal((await small()).json.error.code, 'not-a-picture');
  // Those who never end are given up.
  for (const request of slow.slice(1)) {
    const { status, json } = await request;
    assert.equal(json.error.code, 'timeout');
    assert.equal(status, 408);
  }
});
