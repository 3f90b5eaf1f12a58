/** POST /explain, with the bundled network. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { bundledModel, readPicture } from 'fastcam/node';
import { CAT, cat, claimingSize, png, rocket, sizeOf, withOrientation } from './pictures.mjs';
import { animation, greedy, webp } from './webp.mjs';
import { start } from './workerd.mjs';

const CAT_SIZE = [451, 300];

let worker;
before(async () => {
  worker = await start();
});
after(() => worker.stop());

/** Expects `{ error: { code, message } }`. */
function assertProblem({ status, json }, expectedStatus, code) {
  assert.equal(json?.error.code, code, JSON.stringify(json));
  assert.equal(status, expectedStatus);
  assert.match(json.error.message, /^[^\n]{10,}$/);
}

describe('pictures', () => {
  it('answers twenty requests at once with one load', async () => {
    const requests = Array.from({ length: 20 }, () => worker.post('/explain?as=json', cat));
    const answers = await Promise.all(requests);
    assert.deepEqual(
      answers.map(({ status }) => status),
      answers.map(() => 200),
    );
    assert.equal(new Set(answers.map(({ bytes }) => bytes.toString())).size, 1);
    assert.equal(worker.loads(), 1);
  });

  for (const view of ['overlay', 'lovi', 'saliency', 'fastcam']) {
    it(`paints ${view} in the size of the picture`, async () => {
      const { status, type, bytes } = await worker.post(`/explain?as=${view}`, cat);
      assert.equal(status, 200);
      assert.equal(type, 'image/png');
      assert.deepEqual(sizeOf(bytes), CAT_SIZE);
    });
  }

  it('takes a JPEG, and gives the overlay where nothing is asked for', async () => {
    const [plain, named] = await Promise.all([
      worker.post('/explain', rocket, 'image/jpeg'),
      worker.post('/explain?as=overlay', rocket, 'image/jpeg', { accept: 'application/json' }),
    ]);
    assert.equal(plain.type, 'image/png');
    assert.deepEqual(plain.bytes, named.bytes);
  });

  it('takes a WebP: what has lost nothing gives the same overlay', async () => {
    const lossless = await webp(await readPicture(CAT.pathname), { lossless: 1 });
    const { status, bytes } = await worker.post('/explain', lossless, 'image/webp');
    assert.equal(status, 200);
    assert.deepEqual(bytes, (await worker.post('/explain', cat)).bytes);
  });

  it('tells what Node tells, in numbers, where JSON is accepted', async () => {
    const { json } = await worker.post('/explain', cat, 'image/png', {
      accept: 'application/json',
    });
    const { net } = await bundledModel();
    const explanation = net.explain(await readPicture(CAT.pathname));
    assert.deepEqual(json.input.networkInput, [...explanation.inputSize]);
    assert.deepEqual(json.cost.ops, explanation.cost.ops);
    assert.equal(json.scales.length, 5);
    for (const [i, expected] of explanation.top(5).entries()) {
      assert.equal(json.top[i].label, expected.label);
      // The backends round differently, by some 2e-6 of the largest logit.
      assert.ok(Math.abs(json.top[i].logit - expected.logit) < 1e-4);
    }
  });

  it('turns a picture as its EXIF orientation says', async () => {
    const sizes = await Promise.all(
      [1, 3, 6, 8].map(async (orientation) => {
        const picture = withOrientation(rocket, orientation);
        const { json } = await worker.post('/explain?as=json', picture, 'image/jpeg');
        return [json.input.width, json.input.height];
      }),
    );
    const [wide, , tall] = sizes;
    assert.deepEqual(wide, tall.toReversed());
    assert.deepEqual(sizes, [wide, wide, tall, tall]);
  });

  it('obeys the options of the command line', async () => {
    const query =
      'statistic=sd&normalizer=gamma&scale-weights=1,2,3,4,5&cam=xgradcam&class=tabby&fit=crop&size=96';
    const { status, json } = await worker.post(`/explain?as=json&${query}`, cat);
    assert.equal(status, 200);
    assert.equal(json.target.label, 'tabby');
    assert.deepEqual(json.input.networkInput, [96, 96]);
    const identity = await worker.post('/explain?normalizer=identity&cam=none', cat);
    assert.equal(identity.status, 200);
  });
});

describe('what is refused', () => {
  const header = { width: 64, height: 64 };
  const black = Buffer.alloc(64 * (1 + 3 * 64));

  for (const query of [
    'as=sheet',
    'statistic=kurtosis',
    'normalizer=none',
    'scale-weights=1,2',
    'cam=scorecam',
    'class=unicorn',
    'class=200',
    'fit=tight',
    'size=0',
    'size=100000',
    'colour=jet',
    'as=fastcam&cam=none',
  ]) {
    it(`?${query}`, async () => {
      assertProblem(await worker.post(`/explain?${query}`, cat), 400, 'bad-option');
    });
  }

  it('another path, another method', async () => {
    assertProblem(await worker.post('/', cat), 404, 'no-such-path');
    const get = await worker.request('/explain');
    assertProblem(get, 405, 'method');
    assert.equal(get.headers.get('allow'), 'POST');
  });

  it('another type, in word or in deed', async () => {
    assertProblem(await worker.post('/explain', cat, 'text/html'), 415, 'content-type');
    const nothing = await worker.post('/explain', 'GIF89a and no picture at all');
    assertProblem(nothing, 415, 'not-a-picture');
    assertProblem(await worker.post('/explain', ''), 415, 'not-a-picture');
  });

  it('a body of too many bytes, announced or not', async () => {
    const large = Buffer.alloc((4 << 20) + 1);
    assertProblem(await worker.post('/explain', large), 413, 'too-large');
    const stream = new Blob([large]).stream();
    const init = { method: 'POST', body: stream, duplex: 'half' };
    const headers = { 'content-type': 'image/png' };
    assertProblem(await worker.request('/explain', { ...init, headers }), 413, 'too-large');
  });

  it('a picture of too many pixels, before any is decoded', async () => {
    const wide = png({ width: 60_000, height: 60_000 }, black);
    assertProblem(await worker.post('/explain', wide), 413, 'too-many-pixels');
    const jpeg = claimingSize(rocket, 60_000, 60_000);
    assertProblem(await worker.post('/explain', jpeg, 'image/jpeg'), 413, 'too-many-pixels');
  });

  it('pixels that inflate to more than the header tells', async () => {
    const bomb = png(header, Buffer.alloc(256 << 20));
    assert.ok(bomb.length < 300_000);
    assertProblem(await worker.post('/explain', bomb), 422, 'damaged');
  });

  it('damaged pictures', async () => {
    const half = cat.subarray(0, cat.length / 2);
    assertProblem(await worker.post('/explain', half), 422, 'damaged');
    assertProblem(await worker.post('/explain', png(header, black.subarray(9))), 422, 'damaged');
    assertProblem(
      await worker.post('/explain', png({ width: 0, height: 9 }, black)),
      422,
      'damaged',
    );
    assertProblem(
      await worker.post('/explain', png({ ...header, depth: 3 }, black)),
      422,
      'damaged',
    );
    const stub = rocket.subarray(0, 100);
    assertProblem(await worker.post('/explain', stub, 'image/jpeg'), 422, 'damaged');
    const scan = Buffer.from([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
    const scans = Buffer.concat([rocket, ...new Array(100_000).fill(scan)]);
    assertProblem(await worker.post('/explain', scans, 'image/jpeg'), 422, 'damaged');
    const noFrame = Buffer.from([0xff, 0xd8, 0xff, 0xda, 0, 2]);
    assertProblem(await worker.post('/explain', noFrame, 'image/jpeg'), 422, 'damaged');
  });

  it('damaged WebP files, animations, and too many pixels', async () => {
    const file = await webp(await readPicture(CAT.pathname), { lossless: 1 });
    const post = (body) => worker.post('/explain', body, 'image/webp');
    for (const damaged of [
      file.subarray(0, file.length / 2),
      file.subarray(0, 12),
      file.subarray(0, 22),
      Buffer.concat([file.subarray(0, 25), Buffer.alloc(1000, 0xff)]),
      animation(),
      greedy(1280, 1024),
    ]) {
      assertProblem(await post(damaged), 422, 'damaged');
    }
    const wide = Buffer.from(file);
    // Width and height less one, 14 bits each, after the signature.
    wide.writeUInt32LE(0x0fffffff, 21);
    assertProblem(await post(wide), 413, 'too-many-pixels');
    assert.equal((await post(file)).status, 200);
  });

  it('an input that the memory has no room for', async () => {
    const strip = png({ width: 512, height: 64 }, Buffer.alloc(64 * (1 + 3 * 512)));
    assertProblem(await worker.post('/explain?size=512', strip), 422, 'no-room');
    assert.equal((await worker.post('/explain', strip)).status, 200);
  });

  it('nothing after that, from the same load', async () => {
    assert.equal((await worker.post('/explain', cat)).status, 200);
    assert.equal(worker.loads(), 1);
  });
});
