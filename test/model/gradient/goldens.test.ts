/**
 * Gradients of sixteen networks against those of PyTorch in float64; goldens/README.md tells how they were made.
 *
 * At a corner of an activation function a gradient jumps. In mobilenet-v2 one value before the last ReLU6 is so near
 * to 0 that its sign is below the precision of float32, and another order of the additions gives the other sign. So
 * there are two right gradients, and each backend must have one of them. They differ by 2.9e-2 of the largest; a wrong
 * gradient is near neither.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { gradientPass } from '../../../src/model/gradient/pass.js';
import { loadNetwork } from '../../../src/onnx.js';
import { distance, everyThird } from '../../compare.js';
import scaleEnds from '../../goldens/graph/scale-ends.json' with { type: 'json' };
import { type Golden, goldenInput, loadGolden } from '../../goldens.js';
import { hashImage } from '../../hash-weights.js';
import { BACKENDS } from '../../kernels/backends.js';

const NAMES = Object.keys(scaleEnds);
/** The gradient on the other side of the corner. */
const OTHER: Record<string, Golden | undefined> = {
  'mobilenet-v2': loadGolden('graph/mobilenet-v2.corner').get('gradient'),
};

describe.each(BACKENDS)('gradients of ONNX goldens on $name', async ({ make }) => {
  const kernels = await make();

  it.each(NAMES)(
    '%s: gradient and guided backpropagation within 1e-3 of the largest, the latter 1e-5 in the median',
    async (name) => {
      const golden = loadGolden(`graph/${name}.gradients`);
      const { shape, salt } = goldenInput(`graph/${name}`);
      const [, C, H, W] = shape;
      const picture = hashImage(salt, C * H * W);
      const bytes = readFileSync(new URL(`../../goldens/graph/${name}.onnx`, import.meta.url));
      const net = await loadNetwork(bytes, { kernels, name });
      try {
        for (const guided of [false, true]) {
          const expected = golden.get(guided ? 'guided_backprop' : 'gradient');
          if (!expected) continue;
          const pass = gradientPass(net, [1, H, W], { score: 'logit', guided });
          pass.input.set(picture.map((_, i) => picture[(i % C) * H * W + Math.floor(i / C)]!));
          pass.run();
          const got = everyThird(pass.gradients[0]!, [H, W, C]);
          const { largest, median } = distance(got, expected.data);
          const other = guided ? undefined : OTHER[name];
          const ofOther = other ? distance(got, other.data).largest : Number.POSITIVE_INFINITY;
          expect(Math.min(largest, ofOther)).toBeLessThanOrEqual(1e-3);
          if (guided) expect(median).toBeLessThanOrEqual(1e-5);
        }
      } finally {
        net.dispose();
      }
    },
  );
});
