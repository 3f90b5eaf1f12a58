/** Gradients of convolutions, whatever their extents, against central differences in doubles. */

import fc from 'fast-check';
import { describe, it } from 'vitest';
import { activation } from '../../../src/model/graph/operators/activation.js';
import { add } from '../../../src/model/graph/operators/add.js';
import { type Conv, plainConv } from '../../../src/model/graph/operators/conv.js';
import { input } from '../../../src/model/graph/operators/input.js';
import { relu } from '../../../src/model/graph/operators/relu.js';
import { seed } from '../graph/compute.js';
import { graphOf, type Row } from '../graph/graph-of.js';
import { expectDerivative } from './doubles.js';

const upTo = (max: number, min = 1) => fc.integer({ min, max });
const pair = (max: number, min = 1) => fc.tuple(upTo(max, min), upTo(max, min));

/** Extents of a convolution, of groups × channels in and out, and of its input. */
interface Given {
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly groups: number;
  readonly channels: readonly [number, number];
  readonly stride?: readonly [number, number];
  readonly dilation?: readonly [number, number];
  readonly pads?: readonly [number, number, number, number];
}

function convOf(layer: string, given: Given): Conv {
  const { groups, channels, kernel, stride = [1, 1], dilation = [1, 1] } = given;
  const [Cin, Cout, kH, kW] = [groups * channels[0], groups * channels[1], ...kernel];
  return plainConv({
    layer,
    weight: { name: layer, shape: [Cout, channels[0], kH, kW] },
    extents: { Cin, Cout, kH, kW, groups },
    strideY: stride[0],
    strideX: stride[1],
    dilationY: dilation[0],
    dilationX: dilation[1],
    pads: given.pads ?? [0, 0, 0, 0],
  });
}

/** Extents that fit: the kernel is not larger than the padded input. */
function fits({ size, kernel, dilation = [1, 1], pads = [0, 0, 0, 0] }: Given): boolean {
  const room = [size[0] + pads[0] + pads[2], size[1] + pads[1] + pads[3]];
  return room.every((extent, axis) => extent > dilation[axis]! * (kernel[axis]! - 1));
}

const any: fc.Arbitrary<Given> = fc
  .record({
    size: pair(7),
    kernel: pair(4),
    groups: upTo(3),
    channels: pair(3),
    stride: pair(3),
    dilation: pair(2),
    pads: fc.tuple(upTo(4, 0), upTo(4, 0), upTo(4, 0), upTo(4, 0)),
  })
  .filter(fits);

function expectConv(given: Given, from: number): void {
  const { size, groups, channels } = given;
  const graph = graphOf(
    ['input', input(groups * channels[0])],
    ['conv', convOf('conv', given), 'input'],
  );
  expectDerivative({ graph, size, seed: from });
}

describe('gradient of a convolution, within 1e-7 of central differences', () => {
  it('any kernel, stride, dilation, groups, padding on four sides', () => {
    fc.assert(fc.property(any, seed, expectConv), { numRuns: 300 });
  });

  it('3×3 with a border of 1, at strides 1 and 2, as most layers are', () => {
    const most = fc.record({ size: pair(9), stride: pair(2), groups: upTo(2), channels: pair(4) });
    fc.assert(
      fc.property(most, seed, (given, from) =>
        expectConv({ ...given, kernel: [3, 3], pads: [1, 1, 1, 1] }, from),
      ),
    );
  });

  it('1×1, at strides 1 and 2', () => {
    const most = fc.record({ size: pair(6), stride: pair(2), groups: upTo(2), channels: pair(4) });
    fc.assert(
      fc.property(most, seed, (given, from) => expectConv({ ...given, kernel: [1, 1] }, from)),
    );
  });

  it('depthwise, with and without a multiplier', () => {
    const depthwise = fc
      .record({ given: any, multiplier: upTo(3), groups: upTo(5, 2) })
      .map(({ given, multiplier, groups }): Given => {
        return { ...given, groups, channels: [1, multiplier] };
      });
    fc.assert(fc.property(depthwise, seed, expectConv), { numRuns: 200 });
  });

  it('as large as the map, with and without groups', () => {
    const whole = fc.record({ size: pair(5), groups: upTo(2), channels: pair(4) });
    fc.assert(
      fc.property(whole, seed, (given, from) => expectConv({ ...given, kernel: given.size }, from)),
    );
  });
});

describe('gradient of fused convolutions, within 1e-7 of central differences', () => {
  const functions = {
    none: [],
    relu: [relu()],
    clip: [activation('clip', -0.5, 1.5)],
    silu: [activation('silu')],
    gelu: [activation('gelu')],
  } as const;

  it.each(Object.entries(functions))(
    'conv + residual + %s, where both inputs come from one value',
    (_, [behind]) => {
      fc.assert(
        fc.property(any, seed, (given, from) => {
          const C = given.groups * given.channels[0];
          const rows: Row[] = [
            ['input', input(C)],
            ['a', convOf('a', given), 'input'],
            ['b', convOf('b', given), 'input'],
            ['sum', add(), 'a', 'b'],
          ];
          if (behind) rows.push(['out', behind, 'sum']);
          expectDerivative({ graph: graphOf(...rows), size: given.size, seed: from });
        }),
      );
    },
  );
});
