/** Class activation maps and BiDiCAM at any value of a network. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { attribute } from '../../src/attribute.js';
import { jsKernels, networkOf } from '../../src/index.js';
import { classActivationOf } from '../../src/methods/gradients/class-activation.js';
import { CAM_METHODS } from '../../src/methods/index.js';
import { loadNetwork } from '../../src/onnx.js';
import { distance } from '../compare.js';
import { goldenInput, loadGolden, loadOracle } from '../goldens.js';
import { hashImage } from '../hash-weights.js';
import { BACKENDS, seededFloats } from '../kernels/backends.js';

/** Networks of test/goldens/methods.py; their classifiers have several layers. */
const ORACLES = ['resnet-grey', 'vgg-timm'];

describe.each(BACKENDS)('PyTorch’s maps inside networks on $name', async ({ make }) => {
  const kernels = await make();
  for (const name of ORACLES) {
    const golden = loadGolden(`graph/methods-${name}`);
    const { weights, x } = loadOracle(name);
    const net = networkOf(weights, { kernels });

    it.each(CAM_METHODS)(`${name}: %s at every scale within 1e-5`, (method) => {
      for (const [i, at] of net.scales.entries()) {
        const { map } = attribute(net, x, { method, at, score: 'logit' });
        const expected = golden.get(`cam.${method}.${i}`)!.data;
        expect(distance(map.data, expected).largest, at).toBeLessThanOrEqual(1e-5);
      }
    });

    it(`${name}: BiDiCAM of each pooling, and with Grad-CAM, within 1e-4`, () => {
      for (const kind of ['signed', 'average', 'maximum', 'mix'] as const) {
        const options = kind === 'mix' ? { mix: true } : { pooling: kind };
        const { map, passes } = attribute(net, x, {
          method: 'bidicam',
          score: 'logit',
          ...options,
        });
        const expected = golden.get(`bidicam.${kind}`)!.data;
        expect(distance(map.data, expected).largest, kind).toBeLessThanOrEqual(1e-4);
        expect(passes).toBe(1);
      }
    });
  }
});

describe('class activation maps of linear classifiers', () => {
  it.each(['resnet-bottleneck', 'squeezenet', 'inception', 'resnet-grey-binary'])(
    '%s: the gradients give the closed forms within 1e-5',
    async (name) => {
      const { shape, salt } = goldenInput(`graph/${name}`);
      const [, C, H, W] = shape;
      const picture = { data: hashImage(salt, C * H * W), shape };
      const bytes = readFileSync(new URL(`../goldens/graph/${name}.onnx`, import.meta.url));
      const net = await loadNetwork(bytes, { kernels: jsKernels(), name });
      const explanation = net.explain(picture);
      for (const target of new Set([0, explanation.target!])) {
        for (const method of CAM_METHODS) {
          const { camMap } = explanation.classMaps(target, method);
          const { map } = attribute(net, picture, { method, target });
          // A map may be 0 everywhere: where nothing speaks for the class.
          const apart = camMap.data.map((value, p) => Math.abs(value - map.data[p]!));
          expect(Math.max(...apart)).toBeLessThanOrEqual(1e-5);
        }
      }
    },
  );
});

describe('classActivationOf', () => {
  const shape = { H: 3, W: 4, C: 5 };
  const activations = seededFloats(60, 1).map(Math.abs);
  const of = (gradients: Float32Array, method: (typeof CAM_METHODS)[number]) => {
    const out = new Float32Array(12);
    classActivationOf(out, activations, gradients, shape, method);
    return out;
  };

  it.each(CAM_METHODS)('%s takes elements of a gradient that are not finite as 0', (method) => {
    const damaged = seededFloats(60, 2);
    const mended = damaged.slice();
    for (const [i, value] of [Number.NaN, Infinity, -Infinity].entries()) {
      damaged[7 * i] = value;
      mended[7 * i] = 0;
    }
    expect(of(damaged, method)).toEqual(of(mended, method));
  });

  it.each(CAM_METHODS)('%s is finite for the largest and the smallest gradients', (method) => {
    for (const size of [0, 1e-45, 1e-20, 3e38]) {
      const map = of(new Float32Array(60).fill(size), method);
      expect(map.every((value) => value >= 0 && value < Infinity)).toBe(true);
    }
  });

  it('LayerCAM and HiResCAM differ where a gradient is negative, and are equal where none is', () => {
    const gradients = seededFloats(60, 3);
    expect(of(gradients, 'layercam')).not.toEqual(of(gradients, 'hirescam'));
    const positive = gradients.map(Math.abs);
    expect(of(positive, 'layercam')).toEqual(of(positive, 'hirescam'));
  });
});
