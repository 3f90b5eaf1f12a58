/** Checks of whole networks against the goldens of the authors' code. */

import { expect } from 'vitest';
import { networkOf } from '../src/explain.js';
import type { Explanation, FloatTensor, Kernels } from '../src/index.js';
import type { CamMethod } from '../src/methods/index.js';
import { distance } from './compare.js';
import { type Golden, loadGolden } from './goldens.js';
import { hashImage, hashWeights, torchvisionStateDict } from './hash-weights.js';

type Shape = FloatTensor['shape'];

/** Architecture, input and salt of the ResNets with hash weights; the largest is the last. */
export const RESNET_GOLDENS: readonly (readonly [string, Shape, number])[] = [
  ['resnet18', [2, 3, 64, 96], 2],
  ['resnet50', [2, 3, 96, 160], 1],
  ['resnet50', [1, 3, 224, 224], 0],
];

const CAM_KEYS: readonly (readonly [CamMethod, string])[] = [
  ['gradcam', 'cam.gradcam'],
  ['gradcam++', 'cam.gradcampp'],
  ['xgradcam', 'cam.xgradcam'],
];

/** Item n of a golden [N, …]. */
function item({ data, shape }: Golden, n: number): ArrayLike<number> {
  const length = data.length / shape[0]!;
  return data.slice(n * length, (n + 1) * length);
}

/** Checks what every network golden holds. */
export function expectGolden(e: Explanation, golden: (key: string) => ArrayLike<number>): void {
  expect(distance(e.logits, golden('logits')).largest).toBeLessThanOrEqual(2e-5);
  e.rawMaps.forEach((map, i) => {
    const { largest, median } = distance(map.data, golden(`smoe.${i}`));
    expect(largest).toBeLessThanOrEqual(2e-3);
    expect(median).toBeLessThanOrEqual(1e-5);
  });
  for (const [method, key] of CAM_KEYS) {
    const { camMap } = e.classMaps(e.target!, method);
    expect(distance(camMap.data, golden(key)).largest).toBeLessThanOrEqual(1e-3);
  }
}

/** Checks a ResNet with hash weights. */
export function expectResNetGolden(
  kernels: Kernels,
  name: string,
  shape: Shape,
  salt: number,
): void {
  const [N, , H, W] = shape;
  const golden = loadGolden(`${name}_${N}x${H}x${W}_s${salt}`);
  const net = networkOf(hashWeights(torchvisionStateDict(name), salt), { kernels });
  const data = hashImage(salt, N * 3 * H * W);
  net.explainBatch({ data, shape }).forEach((e, n) => {
    expectGolden(e, (key) => item(golden.get(key)!, n));
    expect(
      distance(e.combinedMap.data, item(golden.get('combined')!, n)).largest,
    ).toBeLessThanOrEqual(1e-3);
  });
}
