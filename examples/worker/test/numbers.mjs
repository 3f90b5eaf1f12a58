/** What the worker says in JSON, beside what the library has in Node. */

import assert from 'node:assert/strict';
import { readPicture } from 'fastcam/node';
import { CAT } from './pictures.mjs';

/** Of the cat. @param net the network of the worker, in this Node */
export async function assertNumbers(json, net) {
  const explanation = net.explain(await readPicture(CAT.pathname));
  assert.deepEqual(json.input.networkInput, [...explanation.inputSize]);
  assert.deepEqual(json.cost.ops, explanation.cost.ops);
  assert.deepEqual(
    json.scales.map(({ name, shape }) => ({ name, shape })),
    explanation.rawMaps.map(({ shape }, i) => ({ name: net.scales[i], shape: [...shape] })),
  );
  const expected = explanation.top(5);
  assert.equal(json.top.length, expected.length);
  for (const [i, { index, logit, probability }] of expected.entries()) {
    assert.equal(json.top[i].index, index);
    assert.ok(Math.abs(json.top[i].logit - logit) < 1e-4);
    assert.ok(Math.abs(json.top[i].probability - probability) < 1e-4);
  }
}
