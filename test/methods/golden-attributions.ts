/**
 * Attributions of sixteen networks against PyTorch in float64; goldens/README.md tells how they were made. Gradient and
 * guided backpropagation are in test/model/gradient/goldens.test.ts.
 *
 * A gradient jumps where the input of a ReLU is 0 or two values of a max pool are equal. If values are nearer to such a
 * corner than float32's rounding, the order of additions decides on which side they are. Of the 20 steps of integrated
 * gradients one may then have the gradient of the other side, which is as right; it counts a twentieth. It happens on
 * the SIMD backend with mnasnet, mobilenet-v2 and the VGGs, and not on the portable one.
 */

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { attribute } from '../../src/attribute.js';
import type { Kernels } from '../../src/kernels/index.js';
import { CAM_METHODS } from '../../src/methods/index.js';
import { loadNetwork } from '../../src/onnx.js';
import { distance, everyThird } from '../compare.js';
import scaleEnds from '../goldens/graph/scale-ends.json' with { type: 'json' };
import { goldenInput, loadGolden } from '../goldens.js';
import { hashImage } from '../hash-weights.js';

export const NAMES: readonly string[] = Object.keys(scaleEnds);

/**
 * Defines the tests of these networks.
 *
 * @param isExact whether every element of integrated gradients must be within 2e-3
 */
export function attributionTests(
  kernels: Kernels,
  names: readonly string[],
  isExact: boolean,
): void {
  it.each(names)(
    '%s: integrated gradients within 2e-3 of the largest; with SIMD 1 % of the elements within 2e-2',
    async (name) => {
      const { net, extents, picture } = await load(name, kernels);
      const options = { method: 'integrated-gradients', steps: 20, score: 'logit' } as const;
      const { attribution, passes } = attribute(net, picture, options);
      const got = everyThird(attribution.data, extents);
      const expected = loadGolden(`graph/${name}.gradients`).get('integrated_gradients.20')!.data;
      expect(passes).toBe(20);
      expect(shareBeyond(got, expected)).toBeLessThanOrEqual(isExact ? 0 : 0.01);
      expect(distance(got, expected).largest).toBeLessThanOrEqual(2e-2);
      net.dispose();
    },
  );

  const withCams = names.filter((name) => camsOf(name).length > 0);
  it.each(withCams)('%s: class activation maps within 1e-3', async (name) => {
    const { net, extents, picture } = await load(name, kernels);
    for (const { method, expected, isThinned } of camsOf(name)) {
      const { map } = attribute(net, picture, { method, score: 'logit' });
      const [H, W] = extents;
      const got = isThinned ? everyThird(map.data, [H, W, 1]) : map.data;
      expect(distance(got, expected).largest, method).toBeLessThanOrEqual(1e-3);
    }
    net.dispose();
  });
}

async function load(name: string, kernels: Kernels) {
  const { shape, salt } = goldenInput(`graph/${name}`);
  const [, C, H, W] = shape;
  const bytes = readFileSync(new URL(`../goldens/graph/${name}.onnx`, import.meta.url));
  const net = await loadNetwork(bytes, { kernels, name });
  const extents = [H, W, C] as const;
  return { net, extents, picture: { data: hashImage(salt, C * H * W), shape } };
}

/** The share of elements that are off by more than 2e-3 of the largest. */
function shareBeyond(got: Float32Array, expected: ArrayLike<number>): number {
  const most = Array.from(expected).reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const within = got.filter((value, i) => Math.abs(value - expected[i]!) <= 2e-3 * most);
  return 1 - within.length / got.length;
}

/** The class activation maps of two files: whole, or of every third row and column. */
function camsOf(name: string) {
  return [`graph/${name}`, `graph/${name}.gradients`].flatMap((file, i) => {
    const golden = loadGolden(file);
    return CAM_METHODS.flatMap((method) => {
      const expected = golden.get(`cam.${method}`);
      return expected ? [{ method, expected: expected.data, isThinned: i === 1 }] : [];
    });
  });
}
