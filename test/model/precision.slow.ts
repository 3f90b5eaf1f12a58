import { describe, expect, it } from 'vitest';
import { networkOf } from '../../src/explain.js';
import { jsKernels, type Kernels, wasmKernels } from '../../src/kernels/index.js';
import { Network } from '../../src/model/index.js';
import { distance } from '../compare.js';
import { loadGolden } from '../goldens.js';
import { hashImage, hashWeights, torchvisionStateDict } from '../hash-weights.js';

/** The golden ResNet-50s. */
const CASES = [
  { shape: [1, 3, 224, 224], salt: 0 },
  { shape: [2, 3, 96, 160], salt: 1 },
] as const;

const MB = 1e6;

describe('the weights of a ResNet-50 in memory', async () => {
  const relaxed = await wasmKernels('relaxed');

  it.each(CASES)(
    'f16, $shape: logits within 2e-3 and combined maps within 5e-3 of the goldens',
    ({ shape, salt }) => {
      const { logits, combined } = errors(relaxed, 'f16', shape, salt);
      expect(logits).toBeLessThan(2e-3);
      expect(combined).toBeLessThan(5e-3);
    },
  );

  it.each(CASES)(
    'int8, $shape: logits within 1e-2 and combined maps within 2e-2 of the goldens',
    ({ shape, salt }) => {
      const { logits, combined } = errors(relaxed, 'int8', shape, salt);
      expect(logits).toBeLessThan(1e-2);
      expect(combined).toBeLessThan(2e-2);
    },
  );

  it('takes 102, 54 and 29 MB in f32, f16 and int8, on both backends', () => {
    const source = hashWeights(torchvisionStateDict('resnet50'), 0);
    for (const kernels of [jsKernels(), relaxed]) {
      const bytes = (['f32', 'f16', 'int8'] as const).map(
        // Counted before a weight is packed; test/node/memory.test.ts compares it with what is allocated.
        (precision) => new Network(source, { kernels, precision }).weightBytes,
      );
      expect(bytes.map((b) => Math.round(b / MB))).toEqual([102, 54, 29]);
    }
  });

  it('keeps the same weights on both backends: the logits of f16 and int8 agree within 2e-5', () => {
    const source = hashWeights(torchvisionStateDict('resnet18'), 2);
    const shape = [1, 3, 64, 96] as const;
    const image = { data: hashImage(2, 3 * 64 * 96), shape };
    for (const precision of ['f16', 'int8'] as const) {
      const [js, simd] = [jsKernels(), relaxed].map(
        (kernels) => networkOf(source, { kernels, precision }).explain(image).logits,
      );
      expect(distance(simd!, js!).largest).toBeLessThan(2e-5);
    }
  });
});

/** The largest errors over a golden's batch, relative to the largest expected value. */
function errors(
  kernels: Kernels,
  precision: 'f16' | 'int8',
  shape: readonly [number, 3, number, number],
  salt: number,
): { logits: number; combined: number } {
  const [N, , H, W] = shape;
  const golden = loadGolden(`resnet50_${N}x${H}x${W}_s${salt}`);
  const net = networkOf(hashWeights(torchvisionStateDict('resnet50'), salt), {
    kernels,
    precision,
  });
  const explanations = net.explainBatch({ data: hashImage(salt, N * 3 * H * W), shape });
  const item = (name: string, n: number) => {
    const { data } = golden.get(name)!;
    return data.slice((n * data.length) / N, ((n + 1) * data.length) / N);
  };
  return {
    logits: Math.max(...explanations.map((e, n) => distance(e.logits, item('logits', n)).largest)),
    combined: Math.max(
      ...explanations.map((e, n) => distance(e.combinedMap.data, item('combined', n)).largest),
    ),
  };
}
