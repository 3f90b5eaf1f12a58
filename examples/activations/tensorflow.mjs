/** TensorFlow.js: a layers model, explained from the outputs of its own layers. */

import * as tf from '@tensorflow/tfjs';
import { explainActivations } from 'fastcam/activations';

/**
 * Makes a function that explains pictures.
 *
 * @param model of `tf.loadLayersModel`: pixels of 0 … 1 in, probabilities out
 * @param layers names: `taps` where scales end, first to last; `features`, which a mean pool reads; `head`, the dense
 * layers behind that pool
 */
export function explainer(model, { taps, features, head }, labels) {
  const names = [...new Set([...taps, features])];
  const outputs = names.map((name) => model.getLayer(name).output);
  // The same layers with more outputs: the network is still computed once.
  const tapped = tf.model({ inputs: model.inputs, outputs: [...outputs, ...model.outputs] });
  const [, height, width] = model.inputs[0].shape;
  const dense = head.map((name) => model.getLayer(name));

  return async (picture, options) => {
    const tensors = tf.tidy(() => {
      const pixels = tf.browser.fromPixels(picture);
      const input = tf.image.resizeBilinear(pixels, [height, width], false, true);
      const results = tapped.predict(input.div(255).expandDims());
      return [...results, classWeights(dense, results[names.indexOf(features)])];
    });
    const arrays = await Promise.all(tensors.map((tensor) => tensor.data()));
    const shapes = tensors.map(({ shape }) => shape);
    tf.dispose(tensors);
    const value = (name) => {
      const i = names.indexOf(name);
      return { name, data: arrays[i], shape: shapes[i], layout: 'nhwc' };
    };
    const [probabilities, weights] = arrays.slice(names.length);
    return explainActivations(
      {
        taps: taps.map(value),
        features: value(features),
        classWeights: { data: weights, shape: shapes.at(-1), rows: 'channels' },
        // Softmax of the logarithms gives the probabilities again; 0 has none.
        logits: probabilities.map((p) => Math.log(Math.max(p, 1e-38))),
        picture,
      },
      { labels, ...options },
    );
  };
}

/** [C, classes]: a dense layer's kernel; of several layers, the gradients of the logits by the features' mean. */
function classWeights(dense, features) {
  const [kernel] = dense.at(-1).getWeights();
  if (dense.length === 1) return kernel.clone();
  const mean = features.mean([1, 2]);
  const logits = (x) =>
    dense
      .slice(0, -1)
      .reduce((y, layer) => layer.apply(y), x)
      .matMul(kernel);
  const gradient = (i) => tf.grad((x) => logits(x).gather([i], 1).sum())(mean);
  return tf.concat(Array.from({ length: kernel.shape[1] }, (_, i) => gradient(i))).transpose();
}
