/** A small ONNX file of PyTorch's, explained by onnxruntime in WebAssembly and in Node. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readPicture } from 'fastcam/node';
import * as node from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { withOutputs } from '../onnx-outputs.mjs';
import { explainer } from '../onnxruntime.mjs';

const read = (name) => readFileSync(new URL(name, import.meta.url));
const network = read('network.onnx');
const expected = JSON.parse(read('expected.json'));
const labels = ['a', 'b', 'c', 'd', 'e', 'f'];
const ABOUT = { labels, size: 32, fit: 'whole' };
const VALUES = {
  taps: ['/network/Clip_output_0', '/network/Clip_2_output_0', '/network/Relu_5_output_0'],
  features: '/network/Relu_5_output_0',
  classWeights: 'network.classifier.weight',
};
const picture = {
  ...{ width: 64, height: 32 },
  data: Uint8Array.from({ length: 4 * 64 * 32 }, (_, i) => (i % 4 === 3 ? 255 : (37 * i) % 251)),
};

function assertClose(got, wanted, bound) {
  assert.equal(got.length, wanted.length);
  got.forEach((value, i) => {
    assert.ok(Math.abs(value - wanted[i]) <= bound, `${i}: ${value}, expected ${wanted[i]}`);
  });
}

// One thread: others would keep the process alive.
web.env.wasm.numThreads = 1;

for (const [name, ort] of Object.entries({ 'onnxruntime-web': web, 'onnxruntime-node': node })) {
  describe(name, () => {
    it('gives PyTorch’s logits within 1e-5, and its maps within 1e-3', async () => {
      const explain = await explainer(ort, network, VALUES, ABOUT);
      const e = await explain(picture);
      assertClose(e.logits, expected.logits, 1e-5);
      assertClose(e.combinedMap.data, expected.combined, 1e-3);
      assertClose(e.fastcamMap.data, expected.fastcam, 1e-3);
      assert.deepEqual([...e.scaleNames], VALUES.taps);
      const best = expected.logits.indexOf(Math.max(...expected.logits));
      assert.equal(e.top(1)[0].label, labels[best]);
    });

    it('passes options on', async () => {
      const explain = await explainer(ort, network, VALUES, ABOUT);
      const e = await explain(picture, { target: 'c', cam: 'gradcam', statistic: 'sd' });
      assert.equal(e.target, 2);
      assert.equal(e.cam, 'gradcam');
      assert.equal(e.statistic, 'sd');
    });

    it('reports a name that the file does not have', async () => {
      await assert.rejects(explainer(ort, network, { ...VALUES, features: 'nothing' }));
    });
  });
}

it('adds outputs behind the file, which stays as it is, and each of them once', async () => {
  const bytes = withOutputs(network, [...VALUES.taps, VALUES.features]);
  assert.deepEqual(Buffer.from(bytes.subarray(0, network.length)), network);
  const session = await node.InferenceSession.create(bytes);
  assert.deepEqual(session.outputNames, ['logits', ...VALUES.taps]);
});

it('writes lengths of 128 and more in two bytes', () => {
  const tail = withOutputs(network, ['é'.repeat(100)]).subarray(network.length);
  assert.deepEqual([...tail.subarray(0, 3)], [7 * 8 + 2, (206 & 127) | 128, 1]);
  assert.deepEqual([...tail.subarray(3, 6)], [12 * 8 + 2, (203 & 127) | 128, 1]);
});

it('draws the overlay of a picture file, and says what the network sees', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'activations-'));
  try {
    const photo = fileURLToPath(new URL('../../../samples/chelsea.png', import.meta.url));
    const out = join(folder, 'overlay.png');
    const command = fileURLToPath(new URL('../overlay.mjs', import.meta.url));
    const file = fileURLToPath(new URL('network.onnx', import.meta.url));
    const args = [command, file, photo, out, VALUES.taps.join(','), VALUES.classWeights];
    const lines = execFileSync(process.execPath, args, { encoding: 'utf8' }).trim().split('\n');
    assert.equal(lines.length, 3);
    for (const line of lines) assert.match(line, /^[0-5] 0\.\d{3}$/);
    const [given, drawn] = [await readPicture(photo), await readPicture(out)];
    assert.deepEqual([drawn.width, drawn.height], [given.width, given.height]);
    assert.notDeepEqual(drawn.data, given.data);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
