/** Operators against PyTorch and ONNX’s definitions, on every backend: oracle.json, made by oracle.py. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { NearestRounding, ResizeCoordinates } from '../../../../src/kernels/index.js';
import type { Operator, ValueShape } from '../../../../src/model/graph/node.js';
import { lrn } from '../../../../src/model/graph/operators/lrn.js';
import { normalize } from '../../../../src/model/graph/operators/normalize.js';
import { maxPool, meanPool } from '../../../../src/model/graph/operators/pool.js';
import { resize } from '../../../../src/model/graph/operators/resize.js';
import { softmax } from '../../../../src/model/graph/operators/softmax.js';
import { compute, PORTABLE_BACKENDS } from '../compute.js';

interface Case {
  readonly shape: readonly [number, number, number];
  readonly x: readonly number[];
  readonly out: readonly number[];
}
interface ResizeCase extends Omit<Case, 'shape'> {
  readonly mode: readonly ['nearest' | 'linear', string?];
  readonly coordinates: ResizeCoordinates;
  readonly size: readonly [number, number];
  readonly to: readonly [number, number];
  readonly scales: readonly [number, number] | null;
}
interface NormalizeCase extends Case {
  readonly groups: number;
  readonly eps: number;
  readonly column: readonly number[];
}
interface PoolCase extends Case {
  readonly kind: 'max' | 'mean';
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
  readonly ceil: boolean;
  readonly includePad?: boolean;
}
interface Oracle {
  readonly resize: readonly ResizeCase[];
  readonly normalize: readonly NormalizeCase[];
  readonly lrn: readonly (Case & { readonly size: number })[];
  readonly softmax: readonly (Case & Readonly<Record<SoftmaxName, readonly number[]>>)[];
  readonly pool: readonly PoolCase[];
}
type SoftmaxName = 'C' | 'HW' | 'logC' | 'logHW';

const oracle = JSON.parse(readFileSync(new URL('oracle.json', import.meta.url), 'utf8')) as Oracle;

const shapeOf = ([H, W, C]: readonly [number, number, number]): ValueShape => ({ H, W, C });

describe.each(PORTABLE_BACKENDS)('on $name', async ({ make }) => {
  const kernels = await make();

  /** @param bound on the difference, relative to the larger of 1 and the value */
  const expectClose = (
    operator: Operator,
    shape: ValueShape,
    x: readonly number[],
    expected: readonly number[],
    bound: number,
  ): void => {
    // The step computes two pictures; the oracle's one is both of them.
    const pictures = x.length === shape.H * shape.W * shape.C ? [...x, ...x] : x;
    const wanted = pictures === x ? expected : [...expected, ...expected];
    const { out } = compute(kernels, operator, [shape], [Float32Array.from(pictures)]);
    expect(out).toHaveLength(wanted.length);
    for (const [i, value] of out.entries()) {
      const error = Math.abs(value - wanted[i]!);
      expect(error).toBeLessThanOrEqual(bound * Math.max(1, Math.abs(wanted[i]!)));
    }
  };

  it('resize is ONNX’s, in every mode and by all coordinates, within 2⁻²³', () => {
    expect(oracle.resize.length).toBeGreaterThan(70);
    for (const { mode, coordinates, size, to, scales, x, out } of oracle.resize) {
      const [name, choice] = mode;
      const options = {
        ...(scales && { scales: { H: scales[0], W: scales[1] } }),
        ...(name === 'nearest' && { nearest: choice as NearestRounding }),
      };
      const extents = { H: to[0], W: to[1] };
      const operator = resize(extents, name, coordinates, options);
      expectClose(operator, shapeOf([...size, 1]), x, out, 2 ** -23);
    }
  });

  it('normalize is PyTorch’s layer_norm and group_norm, within 2⁻²²', () => {
    for (const { shape, groups, eps, x, out, column } of oracle.normalize) {
      expectClose(normalize({ groups }, eps), shapeOf(shape), x, out, 2 ** -22);
      expectClose(normalize('column', eps), shapeOf(shape), x, column, 2 ** -22);
    }
  });

  it('lrn is PyTorch’s local_response_norm of odd sizes, within 2⁻²³', () => {
    for (const { shape, size, x, out } of oracle.lrn) {
      expectClose(lrn(size, 0.5, 0.75, 2), shapeOf(shape), x, out, 2 ** -23);
    }
  });

  it('softmax is PyTorch’s over channels and over pixels, and its logarithm, within 2⁻²³', () => {
    for (const { shape, x, ...made } of oracle.softmax) {
      for (const axis of ['C', 'HW'] as const) {
        expectClose(softmax(axis), shapeOf(shape), x, made[axis], 2 ** -23);
        expectClose(softmax(axis, true), shapeOf(shape), x, made[`log${axis}`], 2 ** -23);
      }
    }
  });

  it('max and mean pools are PyTorch’s: ceil mode, padding that counts', () => {
    for (const { shape, kind, kernel, stride, pad, ceil, ...rest } of oracle.pool) {
      const attributes = {
        kernel: [kernel, kernel],
        stride: [stride, stride],
        pads: [pad, pad, pad, pad],
        ceil,
      } as const;
      const isMean = kind === 'mean';
      const pool = isMean ? meanPool(attributes, rest.includePad) : maxPool(attributes);
      expectClose(pool, shapeOf(shape), rest.x, rest.out, isMean ? 2 ** -23 : 0);
    }
  });
});
