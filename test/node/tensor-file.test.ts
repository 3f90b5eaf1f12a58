import { expect, it } from 'vitest';
import {
  CAFFE_PREPROCESSING,
  fitPicture,
  IMAGENET_PREPROCESSING,
  preprocess,
} from '../../src/model/index.js';
import { pictureOfTensor } from '../../src/node/tensor-file.js';

it.each([
  ['ImageNet’s', IMAGENET_PREPROCESSING],
  ['Caffe’s, blue first', CAFFE_PREPROCESSING],
])('the picture of a tensor is the one that preprocessing made it from: %s', (_, preprocessing) => {
  const data = Uint8Array.from({ length: 32 * 32 * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : (i * 7) % 256,
  );
  const input = new Float32Array(32 * 32 * 3);
  preprocess(
    input,
    { data, width: 32, height: 32 },
    fitPicture(32, 32, 'whole', 32),
    preprocessing,
  );
  const planes = input.map((_, i) => input[(i % 1024) * 3 + Math.floor(i / 1024)]!);
  const picture = pictureOfTensor({ data: planes, shape: [1, 3, 32, 32] }, 0, preprocessing);
  expect([...picture.data]).toEqual([...data]);
});
