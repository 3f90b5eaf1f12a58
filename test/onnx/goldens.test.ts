/**
 * Sixteen networks that PyTorch wrote as ONNX against what PyTorch gives for them in float64. Bounds are those the
 * project promises; goldens/README.md tells how the files were made.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ExplainingNetwork } from '../../src/explain.js';
import type { Explanation, FloatTensor } from '../../src/index.js';
import type { CamMethod } from '../../src/methods/index.js';
import { shapesOf } from '../../src/model/index.js';
import { loadNetwork } from '../../src/onnx.js';
import { distance } from '../compare.js';
import scaleEnds from '../goldens/graph/scale-ends.json' with { type: 'json' };
import { type Golden, goldenInput, loadGolden } from '../goldens.js';
import { hashImage } from '../hash-weights.js';
import { BACKENDS } from '../kernels/backends.js';

const ENDS = scaleEnds as unknown as Record<string, [name: string, shape: number[]][]>;
const CAMS: Record<string, CamMethod> = {
  'cam.gradcam': 'gradcam',
  'cam.gradcam++': 'gradcam++',
  'cam.xgradcam': 'xgradcam',
};
/** Whose logits are not linear in the means of their last features. */
const OTHER_HEADS = ['alexnet', 'mobilenet-v3', 'vgg', 'vgg-bn'];

/** Names and extents [C, H, W] of the values where scales end. */
function endsOf({ prepared: { graph, ends } }: ExplainingNetwork, H: number, W: number): unknown {
  const shapes = shapesOf(graph, H, W);
  return ends.map((end) => {
    const shape = shapes[end]!;
    return [graph.nodes[end]!.name, [shape.C, shape.H, shape.W]];
  });
}

/**
 * Within 1e-3. Where an activation is next to 0, float32 moves it by its own size, SMOE Scale of that pixel by up to 2e-3 of
 * the largest, and the steep CDF of a small map by some times more: one pixel in twenty may be off by 5e-3.
 */
function expectScaleMap(got: Float32Array, expected: ArrayLike<number>): number {
  const errors = got.map((value, i) => Math.abs(value - expected[i]!)).sort();
  expect(errors.at(-1)).toBeLessThanOrEqual(5e-3);
  expect(errors[Math.floor(errors.length * 0.95) - 1]).toBeLessThanOrEqual(1e-3);
  return errors.at(-1)!;
}

/** Compares the parts of raw maps, scale maps and the combined map that the golden keeps. */
function expectMaps(e: Explanation, golden: ReadonlyMap<string, Golden>): void {
  const get = (key: string): ArrayLike<number> => golden.get(key)!.data;
  let most = 0;
  e.rawMaps.forEach((map, i) => {
    const { largest, median } = distance(map.data, get(`smoe.${i}`));
    expect(largest).toBeLessThanOrEqual(2e-3);
    expect(median).toBeLessThanOrEqual(1e-5);
    // For the VGGs the largest map is not kept.
    const scale = golden.get(`scale.${i}`);
    if (scale) most = Math.max(most, expectScaleMap(e.scaleMaps[i]!.data, scale.data));
  });
  // A pixel that is far off counts in the combined map as one of several scales.
  const combined = distance(e.combinedMap.data, get('combined')).largest;
  expect(combined).toBeLessThanOrEqual(Math.max(1e-3, (1.1 * most) / e.rawMaps.length));
}

/** Without a scale nothing can be explained, and values to choose from are named; there are logits all the same. */
function expectNoScales(net: ExplainingNetwork, tensor: FloatTensor, logits: Golden): void {
  const { data, shape } = tensor;
  const [, C, H, W] = shape;
  const pass = net.forward(1, H, W, { taps: false });
  pass.input.set(data.map((_, i) => data[(i % C) * H * W + Math.floor(i / C)]!));
  pass.run();
  expect(distance(pass.logits, logits.data).largest).toBeLessThanOrEqual(2e-5);
  expect(() => net.explain(tensor)).toThrow(/taps: .*\/features/);
}

describe.each(BACKENDS)('ONNX goldens on $name', async ({ make }) => {
  const kernels = await make();

  it.each(Object.keys(ENDS))(
    '%s: logits within 2e-5, scales where they should end; SMOE within 2e-3 (median 1e-5), maps within 1e-3',
    async (name) => {
      const golden = loadGolden(`graph/${name}`);
      const { shape, salt } = goldenInput(`graph/${name}`);
      const [, C, H, W] = shape;
      const tensor = { data: hashImage(salt, C * H * W), shape };
      const bytes = readFileSync(new URL(`../goldens/graph/${name}.onnx`, import.meta.url));
      const net = await loadNetwork(bytes, { kernels, name });
      try {
        expect(endsOf(net, H, W)).toEqual(ENDS[name]);
        const logits = golden.get('logits')!;
        if (net.scales.length === 0) return expectNoScales(net, tensor, logits);
        const e = net.explain(tensor);
        expect(distance(e.logits, logits.data).largest).toBeLessThanOrEqual(2e-5);
        expect(net.hasLinearHead).toBe(!OTHER_HEADS.includes(name));
        if (golden.has('combined')) expectMaps(e, golden);
        for (const [key, method] of Object.entries(CAMS)) {
          const cam = golden.get(key);
          if (!cam) continue;
          const { camMap } = e.classMaps(logits.data.length === 1 ? 0 : e.target!, method);
          expect(distance(camMap.data, cam.data).largest).toBeLessThanOrEqual(1e-3);
        }
      } finally {
        net.dispose();
      }
    },
  );
});
