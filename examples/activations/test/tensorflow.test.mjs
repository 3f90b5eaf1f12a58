/** A small MobileNet of TensorFlow.js, made here with a seed, explained from its layers' outputs. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs';
import { explainer } from '../tensorflow.mjs';

const LABELS = ['ant', 'bee', 'cow', 'dog', 'eel'];
const LAYERS = {
  taps: ['stem_relu', 'block_expand_relu', 'head_relu'],
  features: 'head_relu',
  head: ['predictions'],
};
const picture = {
  ...{ width: 32, height: 32 },
  data: Uint8Array.from({ length: 4 * 32 * 32 }, (_, i) => (i % 4 === 3 ? 255 : (37 * i) % 251)),
};

/** Inverted residuals, as MobileNetV2 has them. */
function smallMobileNet(hidden = []) {
  let seed = 0;
  const random = () => {
    seed += 1;
    return tf.initializers.heNormal({ seed });
  };
  const conv = (x, name, filters, kernelSize, strides = 1) => {
    const options = { filters, kernelSize, strides, padding: 'same', name };
    return tf.layers.conv2d({ ...options, kernelInitializer: random() }).apply(x);
  };
  const depthwise = (x, name, strides) => {
    const options = { kernelSize: 3, strides, padding: 'same', name };
    return tf.layers.depthwiseConv2d({ ...options, depthwiseInitializer: random() }).apply(x);
  };
  const relu6 = (x, name) => tf.layers.reLU({ maxValue: 6, name }).apply(x);

  const image = tf.input({ shape: [32, 32, 3] });
  const stem = relu6(conv(image, 'stem', 12, 3, 2), 'stem_relu');
  const first = conv(relu6(depthwise(stem, 'first_depthwise', 2), 'first_relu'), 'first', 8, 1);
  const expanded = relu6(conv(first, 'block_expand', 32, 1), 'block_expand_relu');
  const block = relu6(depthwise(expanded, 'block_depthwise', 2), 'block_relu');
  const head = relu6(conv(conv(block, 'block', 16, 1), 'head', 40, 1), 'head_relu');
  const dense = (x, name, units, activation) =>
    tf.layers.dense({ name, units, activation, kernelInitializer: random() }).apply(x);
  const mean = tf.layers.globalAveragePooling2d({}).apply(head);
  const last = hidden.reduce((x, name) => dense(x, name, 20, 'relu'), mean);
  const predictions = dense(last, 'predictions', LABELS.length, 'softmax');
  return tf.model({ inputs: image, outputs: predictions });
}

const model = smallMobileNet();
const input = tf.tensor4d(
  Float32Array.from(
    { length: 3 * 32 * 32 },
    (_, i) => picture.data[4 * Math.floor(i / 3) + (i % 3)] / 255,
  ),
  [1, 32, 32, 3],
);

/** What a layer gives for the picture. */
function outputOf(name, of = model) {
  return tf.model({ inputs: of.inputs, outputs: of.getLayer(name).output }).predict(input);
}

const upsample = (map) => tf.image.resizeBilinear(map, [32, 32], false, true);

/** Values of a normal distribution's function at x: TensorFlow.js has erf. */
const normal = (map) => {
  const mean = map.mean();
  const count = map.size;
  const sd = map
    .sub(mean)
    .square()
    .sum()
    .div(count - 1)
    .sqrt();
  return map.sub(mean).div(sd.mul(Math.SQRT2)).erf().add(1).div(2);
};

/** SMOE Scale of all scales, normalised and combined, by the formula, in TensorFlow.js' own operations. */
function combined() {
  const maps = LAYERS.taps.map((name) => {
    const z = outputOf(name).relu().add(1e-7);
    const mean = z.mean(-1, true);
    const smoe = mean.mul(mean.log().sub(z.log().mean(-1, true))).div(Math.LN2);
    return upsample(normal(smoe.relu()));
  });
  return tf.addN(maps).div(maps.length);
}

/** Grad-CAM of a class: the features by the class's weights, range-normalised. */
function gradcam(index) {
  const [kernel] = model.getLayer('predictions').getWeights();
  const weights = kernel.slice([0, index], [-1, 1]).flatten();
  return inRange(outputOf('head_relu').mul(weights));
}

/** Weighted features, summed and range-normalised. */
function inRange(weighted) {
  const cam = upsample(weighted.sum(-1, true).relu());
  return cam.sub(cam.min()).div(tf.maximum(cam.max().sub(cam.min()), 1e-9));
}

function assertClose(map, tensor, bound) {
  const wanted = tensor.dataSync();
  assert.equal(map.data.length, wanted.length);
  map.data.forEach((value, i) => {
    assert.ok(Math.abs(value - wanted[i]) <= bound, `${i}: ${value}, expected ${wanted[i]}`);
  });
}

describe('TensorFlow.js', () => {
  it('has its maps within 1e-3 of the formulas in its own operations', async () => {
    const e = await explainer(model, LAYERS, LABELS)(picture, { cam: 'gradcam' });
    assertClose(e.combinedMap, combined(), 1e-3);
    assertClose(e.camMap, gradcam(e.target), 1e-3);
    for (const index of LABELS.keys()) assertClose(e.classMaps(index).camMap, gradcam(index), 1e-3);
    assert.deepEqual([...e.scaleNames], LAYERS.taps);
  });

  it('has Grad-CAM of a head of several layers within 1e-3 of its gradient at the features', async () => {
    const names = ['hidden_1', 'hidden_2', 'predictions'];
    const deep = smallMobileNet(names.slice(0, 2));
    const e = await explainer(
      deep,
      { ...LAYERS, head: names },
      LABELS,
    )(picture, { cam: 'gradcam' });
    const [one, two, last] = names.map((name) => deep.getLayer(name).getWeights());
    const logits = (features) => {
      const first = features.mean([1, 2]).matMul(one[0]).add(one[1]).relu();
      return first.matMul(two[0]).add(two[1]).relu().matMul(last[0]).add(last[1]);
    };
    const features = outputOf('head_relu', deep);
    for (const index of LABELS.keys()) {
      const score = (x) => logits(x).slice([0, index], [1, 1]).sum();
      const weights = tf.grad(score)(features).mean([1, 2], true);
      assertClose(e.classMaps(index).camMap, inRange(features.mul(weights)), 1e-3);
    }
  });

  it('has the model’s probabilities, within 1e-6', async () => {
    const e = await explainer(model, LAYERS, LABELS)(picture);
    const wanted = model.predict(input).dataSync();
    for (const { index, label, probability } of e.top(5)) {
      assert.ok(Math.abs(probability - wanted[index]) <= 1e-6);
      assert.equal(label, LABELS[index]);
    }
  });

  it('keeps no tensor', async () => {
    const explain = explainer(model, LAYERS, LABELS);
    await explain(picture);
    const { numTensors } = tf.memory();
    await explain(picture);
    assert.equal(tf.memory().numTensors, numTensors);
  });

  it('gives maps in the pixels of a picture of another size', async () => {
    const data = new Uint8Array(4 * 45 * 61).fill(99);
    const e = await explainer(model, LAYERS, LABELS)({ data, width: 45, height: 61 });
    assert.deepEqual(e.fastcamMap.shape, [61, 45]);
  });
});
