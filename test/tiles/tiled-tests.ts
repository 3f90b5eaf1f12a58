/** Tests of divided pictures, for any backend. */

import { readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { type FloatTensor, networkOf } from '../../src/explain.js';
import {
  type ExplainingNetwork,
  type ExplainOptions,
  type Explanation,
  type Kernels,
  loadNetwork,
  type Picture,
  type Statistic,
} from '../../src/index.js';
import { preprocess } from '../../src/model/index.js';
import { loadNetwork as loadOnnx } from '../../src/onnx.js';
import { explainTiled, type PictureReader, type TiledState } from '../../src/tiles/index.js';
import { loadOracle } from '../goldens.js';
import { seededFloats } from '../kernels/backends.js';
import { type FileSpec, onnxFile } from '../model/onnx/files.js';

export const tiny = readFileSync(
  new URL('../../models/tiny-resnet50.safetensors', import.meta.url),
);

/** A picture with some structure in it. */
export function picture(width: number, height: number): Picture {
  const data = Uint8Array.from({ length: width * height * 4 }, (_, i) => {
    const p = i >> 2;
    const [x, y] = [p % width, Math.floor(p / width)];
    const wave = 90 * Math.sin(x / 17) * Math.cos(y / 23);
    return i % 4 === 3 ? 255 : (x + y * 2 * (i % 4) + ((x ^ y) & 31) * 3 + wave + 256) % 256;
  });
  return { data, width, height };
}

export function readerOf({ data, width, height }: Picture): PictureReader {
  return {
    width,
    height,
    read: (top, rows) => ({
      data: data.subarray(4 * top * width, 4 * (top + rows) * width),
      width,
      height: rows,
    }),
  };
}

/** The whole picture at its own resolution, also if its sides are no multiples of the stride. */
function whole(net: ExplainingNetwork, image: Picture, options: ExplainOptions): Explanation {
  const { width, height } = image;
  const region = { x: 0, y: 0, width, height };
  const geometry = { resizedWidth: width, resizedHeight: height, window: region, region };
  const pixels = new Float32Array(width * height * net.channels);
  preprocess(pixels, image, geometry, net.preprocessing);
  const data = new Float32Array(pixels.length);
  for (let i = 0; i < data.length; i++) {
    const [p, c] = [Math.floor(i / net.channels), i % net.channels];
    data[c * width * height + p] = pixels[i]!;
  }
  const tensor: FloatTensor = { data, shape: [1, net.channels, height, width] };
  return net.explain(tensor, options);
}

/** Says where the first difference is: comparing such arrays with `toEqual` takes seconds. */
function expectBits(got: Float32Array, expected: Float32Array, what: string, width = 1): void {
  if (bytesOf(got).equals(bytesOf(expected))) return;
  const odd = expected.findIndex((value, p) => !Object.is(value, got[p]));
  expect.fail(`${what} differs in row ${Math.floor(odd / width)}`);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function expectSame(got: Explanation, expected: Explanation): void {
  expect(got.scaleNames).toEqual(expected.scaleNames);
  for (const [i, { data, shape }] of expected.rawMaps.entries()) {
    expect(got.rawMaps[i]!.shape).toEqual(shape);
    expectBits(got.rawMaps[i]!.data, data, `scale ${i} of ${shape}`, shape[1]);
    expectBits(got.scaleMaps[i]!.data, expected.scaleMaps[i]!.data, `map ${i}`, shape[1]);
  }
  expectBits(got.logits, expected.logits, 'logits');
  expect(got.target).toBe(expected.target);
}

/** Depthwise layers, a stride in the middle, channels that are shuffled by nothing, and no ReLU at the end. */
export const MOBILE: FileSpec = {
  input: [1, 3, -1, -1],
  nodes: [
    conv('x', 'w0', { strides: [2, 2], pads: [1, 1, 1, 1] }),
    { op: 'Clip', inputs: ['conv1', 'zero', 'six'] },
    conv('clip2', 'w1', { group: 8, pads: [1, 1, 1, 1] }),
    { op: 'HardSwish', inputs: ['conv3'] },
    conv('hardswish4', 'w2', {}),
    { op: 'Add', inputs: ['conv5', 'clip2'] },
    conv('add6', 'w1', { group: 8, strides: [2, 2], pads: [0, 0, 1, 1] }),
    { op: 'Relu', inputs: ['conv7'] },
    {
      op: 'AveragePool',
      inputs: ['relu8'],
      attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
    },
    { op: 'Concat', inputs: ['relu8', 'averagepool9'], attributes: { axis: 1 } },
    conv('concat10', 'w3', { dilations: [2, 2], pads: [2, 2, 2, 2] }),
    { op: 'Relu', inputs: ['conv11'] },
    { op: 'GlobalAveragePool', inputs: ['relu12'] },
    { op: 'Flatten', inputs: ['globalaveragepool13'] },
    { op: 'MatMul', inputs: ['flatten14', 'fc'] },
  ],
  opset: 14,
  constants: {
    zero: { dims: [], values: [0] },
    six: { dims: [], values: [6] },
    w0: noise(8, 3, 3, 3),
    w1: noise(8, 1, 3, 3),
    w2: noise(8, 8, 1, 1),
    w3: noise(16, 16, 3, 3),
    fc: noise(16, 4),
  },
};

function conv(x: string, w: string, attributes: Record<string, number | number[]>) {
  return { op: 'Conv', inputs: [x, w], attributes };
}

function noise(...dims: number[]) {
  const length = dims.reduce((product, extent) => product * extent, 1);
  return { dims, values: [...seededFloats(length, length)] };
}

/** Registers the tests of divided pictures on a backend. */
export function tiledTests(make: () => Promise<Kernels>): void {
  let kernels: Kernels;
  let net: ExplainingNetwork;
  beforeAll(async () => {
    kernels = await make();
    net = await loadNetwork(tiny, { kernels });
  });

  it.each([
    [96, 420, 32],
    [131, 390, 100],
    [352, 260, 32],
  ])(
    'gives the maps, the logits and the class maps of the whole picture, %i×%i in strips of about %i² pixels',
    async (width, height, tile) => {
      const image = picture(width, height);
      const { explanation, tiling, maps } = await explainTiled(net, readerOf(image), { tile });
      expect(tiling.strips).toBeGreaterThan(2);
      const expected = whole(net, image, {});
      expectSame(explanation, expected);
      expect(explanation.fastcamMap).toEqual(expected.fastcamMap);
      expect(explanation.nonClassMap).toEqual(expected.nonClassMap);
      expect(explanation.classMaps(3, 'xgradcam')).toEqual(expected.classMaps(3, 'xgradcam'));
      expect(explanation.cost.ops).toEqual(expected.cost.ops);
      const row = new Float32Array(width);
      for (const y of [0, 1, 100, height - 1]) {
        for (const [kind, map] of [
          ['saliency', expected.combinedMap],
          ['cam', expected.camMap],
          ['fastcam', expected.fastcamMap],
          ['non-class', expected.nonClassMap],
        ] as const) {
          maps.write(row, kind, y);
          expectBits(row, map.data.subarray(y * width, (y + 1) * width), `${kind} ${y}`);
        }
      }
    },
  );

  it.each(['resnet-cifar', 'resnet-grey', 'densenet', 'vgg-timm'])(
    'gives those of %s',
    async (name) => {
      const own = networkOf(loadOracle(name).weights, { kernels });
      const image = picture(90, 250);
      const { explanation, tiling } = await explainTiled(own, readerOf(image), { tile: 8 });
      expect(tiling.strips).toBeGreaterThan(1);
      expectSame(explanation, whole(own, image, {}));
    },
  );

  it('gives those of an ONNX file with depthwise and dilated layers, pools and concatenations', async () => {
    const own = await loadOnnx(onnxFile(MOBILE), { kernels });
    const image = picture(83, 201);
    const options = { taps: ['clip2', 'hardswish4', 'relu8', 'relu12'] };
    const { explanation, tiling } = await explainTiled(own, readerOf(image), {
      ...options,
      tile: 8,
    });
    expect(tiling.strips).toBeGreaterThan(4);
    expectSame(explanation, whole(own, image, options));
  });

  it.each<Statistic>(['gamma', 'sd', 'truncated-normal-mean'])(
    'gives those of the statistic %s',
    async (statistic) => {
      const image = picture(64, 400);
      const { explanation } = await explainTiled(net, readerOf(image), { statistic, tile: 32 });
      expectSame(explanation, whole(net, image, { statistic }));
    },
  );

  it('continues after a strip from its state, and ends with the same bits', async () => {
    const image = picture(96, 640);
    const options = { tile: 32, cam: 'none' } as const;
    const states: TiledState[] = [];
    const whole = await explainTiled(net, readerOf(image), {
      ...options,
      onStrip(_, state) {
        const { arrays, ...rest } = state();
        states.push({ ...rest, arrays: arrays.map((array) => array.slice()) });
      },
    });
    expect(states).toHaveLength(whole.tiling.strips);
    for (const resume of states.slice(0, -1).filter((_, i) => i % 2 === 0)) {
      const again = await explainTiled(net, readerOf(image), { ...options, resume });
      expectSame(again.explanation, whole.explanation);
    }
  });
}
