/**
 * The whole way against the authors' code: networks with hash weights (hash-weights.ts) and the
 * bundled model. Bounds are those the project promises; float32 PyTorch itself is 5e-7 (logits) and
 * up to 1e-4 (SMOE of near-zero activations) from these goldens.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ExplainingNetwork, networkOf } from '../src/explain.js';
import { type Explanation, type FloatTensor, loadResNet } from '../src/index.js';
import type { ScaleWeights } from '../src/viz/index.js';
import { distance } from './compare.js';
import { expectGolden, expectResNetGolden, RESNET_GOLDENS } from './golden-networks.js';
import { goldenInput, goldenWeights, loadGolden } from './goldens.js';
import { hashImage } from './hash-weights.js';
import { BACKENDS } from './kernels/backends.js';

// goldens.slow.ts has the largest one on the portable backend, which takes it ten seconds.
describe.each(BACKENDS)('goldens on $name', async ({ name, make }) => {
  const kernels = await make();
  it.each(RESNET_GOLDENS.slice(0, name === 'js' ? -1 : undefined))(
    '%s %o: logits within 2e-5, SMOE within 2e-3 (median 1e-5), combined and CAMs within 1e-3',
    (...golden) => expectResNetGolden(kernels, ...golden),
  );

  it.each(['vgg', 'vgg-bn', 'alexnet', 'densenet'])(
    '%s: logits within 2e-5, SMOE within 2e-3 (median 1e-5), combined within 1e-3',
    (name) => {
      const golden = loadGolden(`graph/${name}`);
      const { shape, salt } = goldenInput(`graph/${name}`);
      const net = networkOf(goldenWeights(name), { kernels });
      const [, C, H, W] = shape;
      const e = net.explain({ data: hashImage(salt, C * H * W), shape });
      const get = (key: string): ArrayLike<number> => golden.get(key)!.data;
      expect(distance(e.logits, get('logits')).largest).toBeLessThanOrEqual(2e-5);
      const scales = [...golden.keys()].filter((key) => key.startsWith('smoe.'));
      expect(e.rawMaps).toHaveLength(scales.length);
      e.rawMaps.forEach((map, i) => {
        const { largest, median } = distance(map.data, get(`smoe.${i}`));
        expect(largest).toBeLessThanOrEqual(2e-3);
        expect(median).toBeLessThanOrEqual(1e-5);
      });
      expect(distance(e.combinedMap.data, get('combined')).largest).toBeLessThanOrEqual(1e-3);
    },
  );

  describe('a trained network', async () => {
    const golden = loadGolden('tiny-resnet50-pipeline');
    const read = (path: string): Buffer => readFileSync(new URL(path, import.meta.url));
    const exact = await loadResNet(read('goldens/tiny-resnet50-f32.safetensors'), { kernels });
    // The same weights rounded to float16.
    const bundled = await loadResNet(read('../models/tiny-resnet50.safetensors'), { kernels });
    const explain = (
      net: ExplainingNetwork,
      name: string,
      scaleWeights: ScaleWeights,
    ): Explanation => {
      const { data, shape } = golden.get(`${name}.input`)!;
      const tensor = {
        data: data as Float32Array,
        shape: shape as FloatTensor['shape'],
      };
      return net.explain(tensor, { scaleWeights });
    };

    it.each(['cat', 'coffee', 'rocket'])('%s: every array of the pipeline', (name) => {
      const get = (key: string): ArrayLike<number> => golden.get(`${name}.${key}`)!.data;
      const e = explain(exact, name, 'equal');
      expectGolden(e, get);
      e.scaleMaps.forEach((map, i) => {
        expect(distance(map.data, get(`scale.${i}`)).largest).toBeLessThanOrEqual(1e-3);
      });
      for (const [map, key] of [
        [e.combinedMap, 'combined.equal'],
        [explain(exact, name, 'prior').combinedMap, 'combined.prior'],
        [e.fastcamMap, 'fastcam'],
        [e.nonClassMap, 'nonclass'],
      ] as const) {
        expect(distance(map.data, get(key)).largest).toBeLessThanOrEqual(1e-3);
      }
    });

    it.each(['cat', 'coffee', 'rocket'])(
      '%s: the bundled float16 weights give the same class, logits within 5e-3, map within 2.5e-2 (median 2e-3)',
      (name) => {
        const get = (key: string): ArrayLike<number> => golden.get(`${name}.${key}`)!.data;
        const e = explain(bundled, name, 'equal');
        expect(e.target).toBe(explain(exact, name, 'equal').target);
        expect(distance(e.logits, get('logits')).largest).toBeLessThanOrEqual(5e-3);
        const { largest, median } = distance(e.combinedMap.data, get('combined.equal'));
        expect(largest).toBeLessThanOrEqual(2.5e-2);
        expect(median).toBeLessThanOrEqual(2e-3);
      },
    );
  });
});
