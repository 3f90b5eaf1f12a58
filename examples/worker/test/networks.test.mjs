/** Networks of other families than the bundled one, from R2. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, describe, it } from 'node:test';
import { loadNetwork, makeKernels } from 'fastcam';
import { parseSafetensors } from 'fastcam/model';
import { writeSafetensors } from '../../../dist/node/safetensors-writer.js';
import { assertNumbers } from './numbers.mjs';
import { cat } from './pictures.mjs';
import { built, start } from './workerd.mjs';

const KEY = 'network.safetensors';

let worker;
afterEach(() => worker.stop());

function golden(family) {
  const path = `../../../test/goldens/graph/${family}.weights.safetensors`;
  return readFileSync(new URL(path, import.meta.url));
}

/** The golden DenseNet with some tensors changed. */
function densenetWith(change) {
  const file = parseSafetensors(golden('densenet'), 'densenet');
  const tensors = Object.fromEntries(
    [...file.tensors].map(([name, { shape }]) => [name, { shape, data: file.read(name) }]),
  );
  change(tensors);
  return Buffer.from(writeSafetensors(tensors));
}

/** Starts the worker with the weights in its bucket. */
async function serve(weights) {
  const bindings = { MODEL_KEY: KEY };
  worker = await start({ workers: [built({ name: 'worker', bindings, r2Buckets: ['MODELS'] })] });
  const models = await worker.miniflare.getR2Bucket('MODELS', 'worker');
  await models.put(KEY, weights);
}

const explain = (query) => worker.post(`/explain?${query}`, cat);

async function assertRefused(query, message) {
  const { status, json } = await explain(query);
  assert.equal(json?.error.code, 'bad-option', query);
  assert.equal(status, 400);
  assert.match(json.error.message, message);
}

/** The answer is that of the library in Node. */
async function assertAsInNode(weights) {
  const { json } = await explain('as=json');
  await assertNumbers(json, await loadNetwork(weights, { kernels: await makeKernels('simd') }));
  return json;
}

it('explains a DenseNet, class activation maps and all', async () => {
  const weights = golden('densenet');
  await serve(weights);
  const { target, top } = await assertAsInNode(weights);
  assert.equal(target.index, top[0].index);
  assert.equal((await explain('as=fastcam')).status, 200);
  assert.equal((await explain('cam=xgradcam&scale-weights=prior')).status, 200);
});

for (const [family, own, other] of [
  ['vgg', '1,2,3,4,5', '1,2,3'],
  ['alexnet', '1,2,3', '1,2,3,4,5'],
]) {
  describe(`of the family ${family}, whose classifier is not linear`, () => {
    it('all is answered but what needs a class activation map', async () => {
      const weights = golden(family);
      await serve(weights);
      await assertAsInNode(weights);
      const overlay = await explain('as=overlay');
      assert.equal(overlay.status, 200);
      assert.deepEqual(overlay.bytes, (await explain('as=overlay&cam=none')).bytes);
      for (const view of ['lovi', 'saliency']) {
        assert.equal((await explain(`as=${view}`)).status, 200);
      }
      await assertRefused('as=fastcam', /not linear/);
      await assertRefused('as=json&cam=gradcam', /not linear/);
      assert.equal((await explain(`scale-weights=${own}`)).status, 200);
      await assertRefused(`scale-weights=${other}`, /^scale-weights: expected \d weights/);
    });
  });
}

it('has the set of weights for five scales where there are five', async () => {
  await serve(golden('alexnet'));
  await assertRefused('scale-weights=prior', /^scale-weights: expected 3 weights/);
  assert.equal((await explain('scale-weights=ramp')).status, 200);
});

it('tells no class of a network without a classifier', async () => {
  const weights = densenetWith((tensors) => {
    delete tensors['classifier.weight'];
    delete tensors['classifier.bias'];
  });
  await serve(weights);
  const { top, target } = await assertAsInNode(weights);
  assert.deepEqual(top, []);
  assert.equal(target, undefined);
  assert.equal((await explain('as=overlay')).status, 200);
  await assertRefused('as=fastcam', /no classifier/);
  await assertRefused('class=0', /^class: the network has no classifier/);
});

it('tells one logit by its sigmoid', async () => {
  const weights = densenetWith((tensors) => {
    const { data } = tensors['classifier.weight'];
    tensors['classifier.weight'] = { data: data.slice(0, data.length / 12), shape: [1, 34] };
    tensors['classifier.bias'] = { data: Float32Array.of(0.5), shape: [1] };
  });
  await serve(weights);
  const [{ logit, probability }] = (await assertAsInNode(weights)).top;
  assert.ok(Math.abs(probability - 1 / (1 + Math.exp(-logit))) < 1e-6);
});

it('has no network where that takes something else than pictures', async () => {
  const weights = densenetWith((tensors) => {
    const { data } = tensors['features.conv0.weight'];
    const stem = Float32Array.from({ length: 16 * 4 * 49 }, (_, i) => data[i % data.length]);
    tensors['features.conv0.weight'] = { data: stem, shape: [16, 4, 7, 7] };
  });
  await serve(weights);
  const { status, json } = await explain('');
  assert.equal(json.error.code, 'no-model');
  assert.equal(status, 503);
  assert.match(worker.log(), /takes 4 channels/);
});
