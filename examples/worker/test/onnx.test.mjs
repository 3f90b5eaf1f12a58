/** The worker for an ONNX file: src/onnx.ts. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, it } from 'node:test';
import { makeKernels } from 'fastcam';
import { loadNetwork } from 'fastcam/onnx';
import { assertNumbers } from './numbers.mjs';
import { cat, MODEL } from './pictures.mjs';
import { built, start } from './workerd.mjs';

let worker;
afterEach(() => worker.stop());

const golden = (name) =>
  readFileSync(new URL(`../../../test/goldens/graph/${name}.onnx`, import.meta.url));
const explain = (query) => worker.post(`/explain?${query}`, cat);

/** Starts a worker with a file in its bucket. */
async function serve(file, folder, key = 'network') {
  const bindings = { MODEL_KEY: key };
  const options = { name: 'worker', bindings, r2Buckets: ['MODELS'] };
  worker = await start({ workers: [built(options, folder)] });
  await (await worker.miniflare.getR2Bucket('MODELS', 'worker')).put(key, file);
}

async function assertAsInNode(file) {
  const { json } = await explain('as=json');
  await assertNumbers(json, await loadNetwork(file, { kernels: await makeKernels('simd') }));
}

it('explains the network in its bundle, class activation maps and all', async () => {
  worker = await start({ workers: [built({}, 'onnx/')] });
  await assertAsInNode(golden('mobilenet-v2'));
  for (const view of ['overlay', 'fastcam', 'lovi']) {
    assert.equal((await explain(`as=${view}`)).status, 200);
  }
});

it('takes an ONNX file from R2, of one size or of any', async () => {
  // Of 96×64 pixels alone.
  const file = golden('shufflenet');
  await serve(file, 'onnx/', 'network.onnx');
  await assertAsInNode(file);
  const { status, json } = await explain('size=128');
  assert.equal(status, 422);
  assert.match(json.error.message, /an input of .* does not fit/);
});

it('takes safetensors from R2 too', async () => {
  const file = readFileSync(MODEL);
  await serve(file, 'onnx/');
  await assertAsInNode(file);
});

it('has no network where the file is damaged, and says so in its log', async () => {
  await serve(golden('mobilenet-v2').subarray(0, 500_000), 'onnx/');
  const { status, json } = await explain('');
  assert.equal(status, 503);
  assert.equal(json.error.code, 'no-model');
  assert.match(worker.log(), /FormatError\]?: network: not an ONNX model: damaged at byte 500000/);
});

it('without the reader an ONNX file is no network', async () => {
  await serve(golden('mobilenet-v2'));
  assert.equal((await explain('')).json.error.code, 'no-model');
  assert.match(worker.log(), /FormatError\]?: network: not a safetensors file: /);
});
