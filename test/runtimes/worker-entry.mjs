/** The suite in a worker of workerd: a request is answered with its report. */

import { decode as decodePng } from 'fast-png';
import { orient, orientationOf } from 'fastcam/model';
import { decode as decodeJpeg } from 'jpeg-js';
import png from './files/chelsea.png';
import densenetGradients from './files/densenet.gradients.safetensors';
import densenet from './files/densenet.safetensors';
import densenetWeights from './files/densenet.weights.safetensors';
import mobilenet from './files/mobilenet-v3.onnx';
import mobilenetGolden from './files/mobilenet-v3.safetensors';
import picture from './files/picture.rgba';
import hashed from './files/resnet18_2x64x96_s2.safetensors';
import jpeg from './files/rocket.jpg';
import bundled from './files/tiny-resnet50.safetensors';
import exact from './files/tiny-resnet50-f32.safetensors';
import pipeline from './files/tiny-resnet50-pipeline.safetensors';
import { runSuite } from './suite.mjs';

const FILES = {
  'chelsea.png': png,
  'densenet.gradients.safetensors': densenetGradients,
  'densenet.safetensors': densenet,
  'densenet.weights.safetensors': densenetWeights,
  'mobilenet-v3.onnx': mobilenet,
  'mobilenet-v3.safetensors': mobilenetGolden,
  'picture.rgba': picture,
  'resnet18_2x64x96_s2.safetensors': hashed,
  'rocket.jpg': jpeg,
  'tiny-resnet50.safetensors': bundled,
  'tiny-resnet50-f32.safetensors': exact,
  'tiny-resnet50-pipeline.safetensors': pipeline,
};

/** A worker's clock stands still until something is waited for. */
async function clock() {
  await scheduler.wait(1);
  return Date.now();
}

/** Packages decode the stored pixels; how they are to be turned is told by the file. */
function decode(file, type) {
  if (type === 'image/jpeg') {
    return orient(decodeJpeg(file, { useTArray: true }), orientationOf(file));
  }
  const { width, height, channels, data } = decodePng(file);
  const rgba = new Uint8Array(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < channels; c++) rgba[4 * i + c] = data[channels * i + c];
  }
  return { width, height, data: rgba };
}

export default {
  async fetch() {
    const read = async (name) => new Uint8Array(FILES[name]);
    return Response.json(await runSuite({ read, decode, clock }));
  },
};
