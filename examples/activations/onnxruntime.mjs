/** onnxruntime, in a page or in Node: an ONNX file, explained from values inside of it. */

import { explainActivations } from 'fastcam/activations';
import { fitPicture, IMAGENET_PREPROCESSING, preprocess } from 'fastcam/model';
import { withOutputs } from './onnx-outputs.mjs';

/**
 * Makes a function that explains pictures.
 *
 * @param ort the module `onnxruntime-web` or `onnxruntime-node`
 * @param file the bytes of an ONNX file: [1, 3, H, W] in, normalised as ImageNet's pictures; logits out
 * @param values names: `taps` where scales end, first to last; `features`, which a mean pool reads; `classWeights` of
 * the Gemm behind that pool, [classes, C]
 * @param about the network: `labels` of its classes, the `size` that it takes; `fit: 'whole'` where it takes any other
 */
export async function explainer(ort, file, { taps, features, classWeights }, about = {}) {
  const { labels, size = 224, fit = 'crop' } = about;
  const model = withOutputs(file, [...taps, features, classWeights]);
  const session = await ort.InferenceSession.create(model);
  const [input] = session.inputNames;
  const [output] = session.outputNames;

  return async (picture, options) => {
    const geometry = fitPicture(picture.width, picture.height, fit, size);
    const { width, height } = geometry.window;
    const pixels = new Float32Array(height * width * 3);
    preprocess(pixels, picture, geometry, IMAGENET_PREPROCESSING);
    const planes = pixels.map(
      (_, i) => pixels[(i % (height * width)) * 3 + Math.floor(i / (height * width))],
    );

    const results = await session.run({
      [input]: new ort.Tensor('float32', planes, [1, 3, height, width]),
    });
    const value = (name) => {
      const { data, dims } = results[name];
      return { name, data, shape: dims, layout: 'nchw' };
    };
    const weights = results[classWeights];
    return explainActivations(
      {
        taps: taps.map(value),
        features: value(features),
        classWeights: { data: weights.data, shape: weights.dims, rows: 'classes' },
        logits: results[output].data,
        picture,
        region: geometry.region,
      },
      { labels, ...options },
    );
  };
}
