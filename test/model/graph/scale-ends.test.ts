/** Where scales end, on graphs made for the rule; the goldens of test/goldens/graph have those of real ones. */

import { describe, expect, it } from 'vitest';
import { fold } from '../../../src/model/graph/fold.js';
import { fuse } from '../../../src/model/graph/fuse.js';
import { type Graph, type Operator, shapesOf } from '../../../src/model/graph/node.js';
import { activation } from '../../../src/model/graph/operators/activation.js';
import { adaptiveMean } from '../../../src/model/graph/operators/adaptive-mean.js';
import { add } from '../../../src/model/graph/operators/add.js';
import { affine } from '../../../src/model/graph/operators/affine.js';
import { concat } from '../../../src/model/graph/operators/concat.js';
import { constant } from '../../../src/model/graph/operators/constant.js';
import { isConv } from '../../../src/model/graph/operators/conv.js';
import { input } from '../../../src/model/graph/operators/input.js';
import { mul } from '../../../src/model/graph/operators/mul.js';
import { maxPool } from '../../../src/model/graph/operators/pool.js';
import { relu } from '../../../src/model/graph/operators/relu.js';
import { addTaps, scaleEnds } from '../../../src/model/graph/scale-ends.js';
import { conv, graphOf, type Row } from './graph-of.js';

const pool = maxPool({ kernel: [2, 2], stride: [2, 2] });
const norm = (layer: string, C: number): Operator =>
  affine(layer, C, [{ mean: `${layer}.m`, variance: `${layer}.v`, eps: 1e-5 }]);

const endsOf = (graph: Graph): string[] =>
  scaleEnds(graph, shapesOf(graph, 32, 32)).map((value) => graph.nodes[value]!.name);

const HEAD: Row[] = [
  ['mean', adaptiveMean(1, 1), 'last'],
  ['fc', conv('fc', 4, 4), 'mean'],
];

/** A stem, then a residual block with a projection, in two orders of its nodes. */
const RESIDUAL: Row[] = [
  ['x', input(3)],
  ['conv1', conv('conv1', 3, 4), 'x'],
  ['stem', relu(), 'conv1'],
  ['a', conv('a', 4, 4, 2), 'stem'],
  ['a.relu', relu(), 'a'],
  ['b', conv('b', 4, 4), 'a.relu'],
  ['shortcut', conv('shortcut', 4, 4, 2), 'stem'],
  ['sum', add(), 'b', 'shortcut'],
  ['last', relu(), 'sum'],
  ...HEAD,
];

/** Five scales: a stem, a pool, and four stages of one residual block each, with or without excitation. */
function fiveScales(act: Operator, excites: boolean): Graph {
  const rows: Row[] = [
    ['x', input(3)],
    ['conv1', conv('conv1', 3, 4, 2), 'x'],
    ['stem', act, 'conv1'],
    ['pool', pool, 'stem'],
  ];
  for (const i of [1, 2, 3, 4]) {
    const at = (part: string) => `layer${i}.${part}`;
    const stride = i === 1 ? 1 : 2;
    const before = i === 1 ? 'pool' : `layer${i - 1}`;
    const branch = excites ? 'excited' : 'bn2';
    rows.push(
      [at('conv1'), conv(at('conv1'), 4, 4, stride), before],
      [at('act'), act, at('conv1')],
      [at('conv2'), conv(at('conv2'), 4, 4), at('act')],
      [at('bn2'), norm(at('bn2'), 4), at('conv2')],
      [at('mean'), adaptiveMean(1, 1), at('bn2')],
      [at('fc'), conv(at('fc'), 4, 4), at('mean')],
      [at('gate'), activation('sigmoid'), at('fc')],
      [at('excited'), mul(), at('bn2'), at('gate')],
      [at('shortcut'), conv(at('shortcut'), 4, 4, stride), before],
      [at('sum'), add(), at(branch), at('shortcut')],
      [`layer${i}`, act, at('sum')],
    );
  }
  rows.push(['mean', adaptiveMean(1, 1), 'layer4'], ['fc', conv('fc', 4, 4), 'mean']);
  return graphOf(...rows);
}

describe('scale ends', () => {
  it('are the last ReLU on all paths, at each resolution, not a ReLU inside of a branch', () => {
    expect(endsOf(graphOf(...RESIDUAL))).toEqual(['stem', 'last']);
  });

  it('are the same with constants, which are on no path from the input', () => {
    const [x, ...rest] = RESIDUAL as [Row, ...Row[]];
    const shape = { H: 1, W: 1, C: 4 };
    const cut = rest.findIndex(([name]) => name === 'sum');
    const withConstants = graphOf(
      x,
      ['first', constant('first', 'first', shape, true)],
      ['made', relu(), 'first'],
      ['unused', constant('unused', 'unused', shape, true)],
      ...rest.slice(0, cut),
      ['scaled', mul(), 'b', 'made'],
      ['sum', add(), 'scaled', 'shortcut'],
      ...rest.slice(cut + 1),
    );
    expect(endsOf(withConstants)).toEqual(['stem', 'last']);
  });

  it('do not depend on the order of the nodes', () => {
    const [x, conv1, stem, a, aRelu, b, shortcut, ...rest] = RESIDUAL as [Row, ...Row[]];
    const other = graphOf(x, conv1!, stem!, shortcut!, a!, aRelu!, b!, ...rest);
    expect(endsOf(other)).toEqual(['stem', 'last']);
  });

  it('are not a pool at the beginning of a resolution that has no convolution', () => {
    const plain = graphOf(
      ['x', input(3)],
      ['conv1', conv('conv1', 3, 4), 'x'],
      ['one', relu(), 'conv1'],
      ['pool1', pool, 'one'],
      ['conv2', conv('conv2', 4, 4), 'pool1'],
      ['two', relu(), 'conv2'],
      ['last', pool, 'two'],
      ...HEAD,
    );
    expect(endsOf(plain)).toEqual(['one', 'two']);
  });

  it('are concatenations of values that are never negative', () => {
    const branches = (second: Operator): Graph =>
      graphOf(
        ['x', input(3)],
        ['conv1', conv('conv1', 3, 4), 'x'],
        ['stem', relu(), 'conv1'],
        ['a', conv('a', 4, 2, 2), 'stem'],
        ['a.relu', relu(), 'a'],
        ['b', conv('b', 4, 2, 2), 'stem'],
        ['b.out', second, 'b'],
        ['last', concat(), 'a.relu', 'b.out'],
        ...HEAD,
      );
    expect(endsOf(branches(relu()))).toEqual(['stem', 'last']);
    expect(endsOf(branches(norm('b.norm', 2)))).toEqual(['stem']);
  });

  it.each<[string, Operator]>([
    ['ReLU', relu()],
    ['ReLU6', activation('relu6')],
    ['SiLU', activation('silu')],
    ['leaky ReLU', activation('leaky_relu')],
    ['GELU', activation('gelu')],
  ])(
    'of a residual network are the same five with %s, with and without gates of a sigmoid',
    (_, act) => {
      const five = ['stem', 'layer1', 'layer2', 'layer3', 'layer4'];
      for (const excites of [false, true]) {
        const graph = fiveScales(act, excites);
        const ends = scaleEnds(graph, shapesOf(graph, 64, 64));
        expect(ends.map((value) => graph.nodes[value]!.name)).toEqual(five);
      }
    },
  );

  it('are activations that can be negative only if the resolution has no other candidate', () => {
    const mixed = (second: Operator): Graph =>
      graphOf(
        ['x', input(3)],
        ['conv1', conv('conv1', 3, 4), 'x'],
        ['one', activation('silu'), 'conv1'],
        ['conv2', conv('conv2', 4, 4), 'one'],
        ['two', second, 'conv2'],
        ['conv3', conv('conv3', 4, 4), 'two'],
        ['three', activation('silu'), 'conv3'],
        ['last', conv('conv4', 4, 4, 2), 'three'],
        ...HEAD,
      );
    expect(endsOf(mixed(relu()))).toEqual(['two']);
    expect(endsOf(mixed(activation('softplus')))).toEqual(['two']);
    expect(endsOf(mixed(activation('tanh')))).toEqual(['three']);
  });

  it('are not an activation that a path bypasses', () => {
    const stream = graphOf(
      ['x', input(3)],
      ['conv1', conv('conv1', 3, 4), 'x'],
      ['hidden', activation('gelu'), 'conv1'],
      ['last', add(), 'hidden', 'conv1'],
      ...HEAD,
    );
    expect(endsOf(stream)).toEqual([]);
  });

  it('do not exist at 1×1, or without any activation', () => {
    const linear = graphOf(
      ['x', input(3)],
      ['last', conv('conv1', 3, 4), 'x'],
      ['mean', adaptiveMean(1, 1), 'last'],
      ['hidden', conv('hidden', 4, 4), 'mean'],
      ['hidden.relu', relu(), 'hidden'],
      ['fc', conv('fc', 4, 4), 'hidden.relu'],
    );
    expect(endsOf(linear)).toEqual([]);
  });
});

describe('taps', () => {
  const graph = graphOf(...RESIDUAL);
  const named = (name: string): number => graph.nodes.findIndex((node) => node.name === name);

  it('read the value before the ReLU, if the statistic needs it', () => {
    const { graph: tapped, taps } = addTaps(
      graph,
      [named('last')],
      ['smoe', 'truncated-normal-sd'],
    );
    const read = taps.map(({ node }) => tapped.nodes[tapped.nodes[node]!.inputs[0]!]!.name);
    expect(read).toEqual(['last', 'sum']);
    expect(taps.map(({ name, statistic }) => [name, statistic])).toEqual([
      ['last', 'smoe'],
      ['last', 'truncated-normal-sd'],
    ]);
  });

  it('of a value that can be negative count negative values as 0', () => {
    const { graph: tapped, taps } = addTaps(graph, [named('b')], ['max', 'smoe', 'gamma']);
    const before = taps.map(({ node }) => tapped.nodes[tapped.nodes[node]!.inputs[0]!]!);
    expect([before[0]!.name, before[0]!.operator.kind]).toEqual(['b:relu', 'relu']);
    // These do it themselves.
    expect([before[1]!.name, before[2]!.name]).toEqual(['b', 'b']);
  });

  it('of an activation that can be negative do not change the value that the network reads', () => {
    const silu = graphOf(
      ['x', input(3)],
      ['conv1', conv('conv1', 3, 4), 'x'],
      ['last', activation('silu'), 'conv1'],
      ...HEAD,
    );
    const ends = scaleEnds(silu, shapesOf(silu, 32, 32));
    const { graph: tapped, taps } = addTaps(silu, ends, ['max']);
    const read = (name: string): string[] => {
      const { inputs } = tapped.nodes.find((node) => node.name === name)!;
      return inputs.map((value) => tapped.nodes[value]!.name);
    };
    expect(taps.map(({ name }) => name)).toEqual(['last']);
    expect([read('last:max'), read('last:relu'), read('mean')]).toEqual([
      ['last:relu'],
      ['last'],
      ['last'],
    ]);
  });

  it('come in the order of the values given', () => {
    const { taps } = addTaps(graph, [named('last'), named('stem')], ['smoe']);
    expect(taps.map(({ name }) => name)).toEqual(['last', 'stem']);
  });

  it('refuse a statistic of pre-activations where the scale does not end in a ReLU', () => {
    expect(() => addTaps(graph, [named('sum')], ['truncated-normal-sd'])).toThrow(
      'truncated-normal-sd reads what lies before a ReLU, and the scale sum ends in add',
    );
  });
});

describe('fold and fuse', () => {
  it('fold a batch norm into the convolution before it, if that has no other reader', () => {
    const rows: Row[] = [
      ['x', input(3)],
      ['conv1', conv('conv1', 3, 4), 'x'],
      ['bn1', norm('bn1', 4), 'conv1'],
    ];
    const alone = graphOf(...rows);
    const folded = fold(alone, shapesOf(alone, 8, 8));
    expect(folded.nodes.map(({ name }) => name)).toEqual(['x', 'bn1']);
    const read = graphOf(...rows, ['sum', add(), 'bn1', 'conv1']);
    expect(fold(read, shapesOf(read, 8, 8)).nodes).toHaveLength(4);
  });

  it('make one step of convolution, addition and ReLU; of two convolutions, the later one does the addition', () => {
    const { graph: fused, map } = fuse(graphOf(...RESIDUAL));
    expect(fused.nodes.map(({ name }) => name)).toEqual([
      ...['x', 'stem', 'a.relu', 'b', 'last', 'mean', 'fc'],
    ]);
    const last = fused.nodes[map[8]!]!;
    expect(isConv(last.operator) && [last.operator.layer, last.operator.residual]).toEqual([
      'shortcut',
      true,
    ]);
    expect(last.inputs.map((value) => fused.nodes[value]!.name)).toEqual(['stem', 'b']);
  });

  it('keep a value that is the network’s output', () => {
    const graph = graphOf(
      ['x', input(3)],
      ['conv1', conv('conv1', 3, 4), 'x'],
      ['out', relu(), 'conv1'],
    );
    const asked = { ...graph, output: 1 };
    expect(fuse(asked).graph.nodes).toHaveLength(3);
  });
});
