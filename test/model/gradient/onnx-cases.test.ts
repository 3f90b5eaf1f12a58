/** Whatever the ONNX reader accepts has a gradient: the files of goldens/onnx-cases.json, an operator or idiom each. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { wasmKernels } from '../../../src/kernels/index.js';
import { gradientPass } from '../../../src/model/gradient/pass.js';
import { loadNetwork } from '../../../src/onnx.js';
import { hashImage } from '../../hash-weights.js';

interface Case {
  readonly name: string;
  /** Base64. */
  readonly file: string;
  readonly shape: readonly [number, number, number, number];
  readonly layout: 'NCHW' | 'NHWC';
  readonly output?: string;
  /** Absent if the file is refused. */
  readonly expected?: string;
}

const CASES = (
  JSON.parse(
    readFileSync(new URL('../../goldens/onnx-cases.json', import.meta.url), 'utf8'),
  ) as Case[]
).filter(({ expected }) => expected !== undefined);

describe('gradients of ONNX files of one operator', async () => {
  const kernels = await wasmKernels('simd');

  it.each(CASES)('$name: numbers, not NaN', async ({ name, file, shape, layout, output }) => {
    const named = { name, ...(output !== undefined && { output }) };
    const net = await loadNetwork(Buffer.from(file, 'base64'), { kernels, ...named });
    try {
      const [H, W] = layout === 'NCHW' ? [shape[2], shape[3]] : [shape[1], shape[2]];
      const pass = gradientPass(net, [1, H, W], { score: 'logit' });
      pass.input.set(hashImage(1, pass.input.length));
      pass.run();
      expect(pass.gradients[0]!.every(Number.isFinite)).toBe(true);
    } finally {
      net.dispose();
    }
  });
});
