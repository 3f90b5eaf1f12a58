import { describe, expect, it } from 'vitest';
import { instrumentedModel, instrumentOnnx } from '../../../src/model/onnx-instrument/index.js';
import {
  CASES,
  contents,
  fileOf,
  graphOf,
  type ModelByHand,
  modelOf,
  type NodeByHand,
  readNode,
  targetOf,
  varintIn,
} from './files.js';

const RELU: NodeByHand = ['Relu', ['x'], ['tap']];

/** The nodes of a file by hand, once it is raised, the first five or so. */
function raised(model: ModelByHand) {
  const nodes = [RELU, ...model.nodes];
  const bytes = instrumentOnnx(modelOf({ opset: 7, ...model, nodes }), targetOf());
  return contents(graphOf(bytes), 1);
}

function refusal(model: ModelByHand): string {
  try {
    raised(model);
  } catch (error) {
    expect((error as Error).name).toBe('FormatError');
    return (error as Error).message;
  }
  throw new Error('it was taken');
}

describe('a file below opset 11', () => {
  it('has nodes rewritten if their form changed, and reports which', () => {
    const told = (name: string) => instrumentedModel(fileOf(name), CASES[name]!.target).rewritten;
    expect(told('rewrites7')).toEqual({
      BatchNormalization: 1,
      Clip: 3,
      Pad: 3,
      Slice: 2,
      TopK: 2,
      Upsample: 2,
    });
    expect(told('rewrites9')).toEqual({ Upsample: 2, Scatter: 1 });
    expect(told('rewrites10')).toEqual({ Resize: 3 });
    expect(told('opset11')).toEqual({});
  });

  it('keeps "to the end" of a slice, the largest int64', () => {
    const slice: NodeByHand = [
      'Slice',
      ['tap'],
      ['y'],
      { starts: [1], ends: [2 ** 53], axes: [3] },
    ];
    const constants = raised({ nodes: [slice] }).filter((n) => readNode(n).opType === 'Constant');
    const raw = contents(contents(contents(constants[1]!, 5)[0]!, 5)[0]!, 9)[0]!;
    expect(Buffer.from(raw).readBigInt64LE()).toBe(2n ** 53n);
    const end = instrumentOnnx(fileOf('opset7'), CASES['opset7']!.target);
    expect(Buffer.from(end).includes(Buffer.from('ffffffffffffff7f', 'hex'))).toBe(true);
  });

  it('gives a bound the type of the value', () => {
    const clip: NodeByHand = ['Clip', ['tap'], ['y'], { min: { float: 0 }, max: { float: 6 } }];
    const inputs: ModelByHand['inputs'] = [['x', 10]];
    const casts = (model: ModelByHand) =>
      raised(model).filter((node) => {
        const { opType, outputs } = readNode(node);
        return opType === 'Cast' && outputs[0]!.startsWith('fastcam/raised_');
      });
    const to = casts({ nodes: [clip], inputs }).map((n) => varintIn(contents(n, 5)[0]!, 3));
    expect(to).toEqual([10, 10]);
    expect(casts({ nodes: [clip] })).toEqual([]);
  });

  it('leaves operators of other domains, and those that mean the same', () => {
    const nodes: NodeByHand[] = [
      ['Softmax', ['tap'], ['y'], { axis: 1 }],
      ['Dropout', ['y'], ['z', 'mask']],
    ];
    const source = modelOf({ opset: 7, nodes: [RELU, ...nodes] });
    const before = contents(graphOf(source), 1);
    expect(raised({ nodes }).slice(0, 3)).toEqual(before);
  });

  it.each<[string, ModelByHand, RegExp]>([
    [
      'a batch norm of each element',
      { nodes: [['BatchNormalization', ['tap'], ['y'], { spatial: 0 }]] },
      /^onnx: BatchNormalization y of opset 7 with spatial = 0 is gone in opset 11: export/,
    ],
    ['Scan of old', { opset: 8, nodes: [['Scan', ['tap'], ['y']]] }, /^onnx: Scan y of opset 8 /],
    [
      'a changed operator inside of a node',
      {
        nodes: [
          ['If', ['x'], ['y'], { then_branch: { graph: [['Upsample', ['tap', 's'], ['u']]] } }],
        ],
      },
      /^onnx: Upsample u of opset 7 in a graph inside of a node is not raised/,
    ],
    [
      'a bound of a type that nobody tells',
      {
        nodes: [
          ['Relu', ['tap'], ['r']],
          ['Clip', ['r'], ['y'], { min: { float: 0 } }],
        ],
        initializers: [['w', 10]],
      },
      /^onnx: Clip y of opset 7 has floats of a type that the file does not tell/,
    ],
    [
      'functions',
      { nodes: [], functions: true },
      /^onnx: a file of opset 7 with functions of its own/,
    ],
    [
      'TopK without k',
      { nodes: [['TopK', ['tap'], ['y', 'i']]] },
      /^onnx: TopK y of opset 7 has no k/,
    ],
    ['Upsample without scales', { nodes: [['Upsample', ['tap'], ['y']]] }, /has no scales/],
  ])('is refused with %s', (_, model, message) => {
    expect(refusal(model)).toMatch(message);
  });
});
