import { describe, expect, it } from 'vitest';
import {
  type InstrumentOptions,
  instrumentedModel,
  instrumentOnnx,
} from '../../../src/model/onnx-instrument/index.js';
import {
  CASES,
  contents,
  fieldsIn,
  fileOf,
  graphOf,
  modelOf,
  NAMES,
  opsetOf,
  readNode,
  targetOf,
  textsIn,
  varintIn,
} from './files.js';

const [NODE, OUTPUT, INPUT] = [1, 12, 11];
const RELU = ['Relu', ['x'], ['tap']] as const;

describe.each(NAMES)('instrumentOnnx on %s', (name) => {
  const source = fileOf(name);
  const { target } = CASES[name]!;
  const { bytes, outputs, opset, rewritten } = instrumentedModel(source, target);

  it('changes nothing of the model but graph and opset', () => {
    const before = fieldsIn(source);
    const after = fieldsIn(bytes);
    expect(after.map(({ number }) => number)).toEqual(before.map(({ number }) => number));
    for (const [i, { number, raw }] of before.entries()) {
      if (number !== 7 && (number !== 8 || opset.before === opset.after)) {
        expect(after[i]!.raw).toEqual(raw);
      }
    }
    expect(opsetOf(bytes)).toBe(Math.max(11, opsetOf(source)));
    expect(textsIn(bytes, 4000)).toEqual(['odd']);
  });

  it('keeps every byte of the graph, except nodes whose form changed, and appends', () => {
    const before = fieldsIn(graphOf(source));
    const after = fieldsIn(graphOf(bytes));
    const added = new Set<number>();
    let at = 0;
    let changed = 0;
    for (const { raw, number, content } of before) {
      const isNode = number === NODE && Object.hasOwn(rewritten, readNode(content).opType);
      if (isNode && !Buffer.from(after[at]!.raw).equals(raw)) {
        // Its constants come first; unknown fields stay in it.
        while (readNode(after[at]!.content).outputs[0] !== readNode(content).outputs[0]) {
          expect(['Constant', 'Cast']).toContain(readNode(after[at]!.content).opType);
          at++;
        }
        expect(textsIn(after[at]!.content, 4000)).toEqual(textsIn(content, 4000));
        changed++;
      } else {
        expect(after[at]!.raw).toEqual(raw);
      }
      at++;
    }
    for (const field of after.slice(at)) added.add(field.number);
    expect(changed).toBe(Object.values(rewritten).reduce((sum, n) => sum + n, 0));
    expect([...added].sort()).toEqual([NODE, OUTPUT]);
  });

  it('adds nodes in order, each with a unique name, and an output for each map', () => {
    const graph = graphOf(bytes);
    const known = new Set(['']);
    for (const number of [INPUT, 5]) {
      for (const value of contents(graph, number)) {
        known.add(textsIn(value, number === 5 ? 8 : 1)[0]!);
      }
    }
    const nodeNames: string[] = [];
    for (const content of contents(graph, NODE)) {
      const { inputs, outputs: made } = readNode(content);
      for (const input of inputs) expect(known, `${input} comes first`).toContain(input);
      for (const output of made) {
        expect(known, `${output} is new`).not.toContain(output);
        known.add(output);
      }
      nodeNames.push(...textsIn(content, 3).filter((text) => text !== ''));
    }
    expect(new Set(nodeNames).size).toBe(nodeNames.length);
    const own = contents(graphOf(source), OUTPUT).length;
    const { saliency, scales, cam, fastcam } = outputs;
    const expected = [saliency, ...scales, ...(cam === undefined ? [] : [cam, fastcam])];
    const listed = contents(graph, OUTPUT).map((value) => textsIn(value, 1)[0]);
    expect(listed.slice(own)).toEqual(expected);
    for (const output of expected) expect(known).toContain(output);
  });

  it('uses the forms of operators that the opset has', () => {
    const skipped = contents(graphOf(source), NODE).length;
    const nodes = contents(graphOf(bytes), NODE).slice(skipped).map(readNode);
    for (const { opType, attributes, inputs } of nodes) {
      const since = ['ReduceSum', 'Squeeze', 'Unsqueeze'].includes(opType) ? 13 : 18;
      if (/^Reduce|queeze$/.test(opType)) {
        expect(attributes.includes('axes')).toBe(opset.after < since);
        expect(inputs).toHaveLength(opset.after < since ? 1 : 2);
      }
      if (opType === 'Resize') expect(inputs[1] === '').toBe(opset.after >= 13);
    }
  });
});

describe('instrumentOnnx', () => {
  const name = 'opset13';
  const { target } = CASES[name]!;
  const source = fileOf(name);
  const write = (options: InstrumentOptions) => instrumentOnnx(source, target, options);
  const dimsOf = (bytes: Uint8Array, output: string) => {
    const value = contents(graphOf(bytes), OUTPUT).find((v) => textsIn(v, 1)[0] === output)!;
    const shape = contents(contents(contents(value, 2)[0]!, 1)[0]!, 2)[0]!;
    return contents(shape, 1).map((dim) => varintIn(dim, 1) ?? textsIn(dim, 2)[0]);
  };

  it('gives maps the dimensions of the input, with their names if they have names', () => {
    expect(dimsOf(write({}), 'saliency')).toEqual(['batch', 'height', 'width']);
    expect(dimsOf(write({}), 'scale_1')).toEqual(['batch', undefined, undefined]);
    expect(dimsOf(write({ size: [48, 32] }), 'fastcam')).toEqual(['batch', 48, 32]);
    // −1 is how some exporters say that any extent will do.
    const byHand = instrumentOnnx(modelOf({ nodes: [RELU] }), targetOf());
    expect(dimsOf(byHand, 'saliency')).toEqual(['N', 'H', undefined]);
  });

  it('adds an input for the class, and then has no ArgMax', () => {
    const bytes = write({ classInput: true });
    const types = (file: Uint8Array) =>
      contents(graphOf(file), NODE).map((n) => readNode(n).opType);
    expect(contents(graphOf(bytes), INPUT).map((value) => textsIn(value, 1)[0])).toEqual([
      'input',
      'class',
    ]);
    expect(types(bytes)).not.toContain('ArgMax');
    expect(types(write({}))).toContain('ArgMax');
  });

  it('clamps taps that may be negative, and no others', () => {
    const reluOf = (nonNegative: boolean) => {
      const taps = [{ name: 'tap', layout: 'nchw' as const, nonNegative }];
      const bytes = instrumentOnnx(modelOf({ nodes: [RELU] }), targetOf({ taps }));
      return contents(graphOf(bytes), NODE).filter((n) => readNode(n).opType === 'Relu').length;
    };
    expect(reluOf(true)).toBe(1);
    expect(reluOf(false)).toBe(2);
  });

  it('does not enlarge a map of weight 0, but it is still an output', () => {
    const bytes = write({ scaleWeights: [0, 0, 2], cam: 'none' });
    const nodes = contents(graphOf(bytes), NODE).map(readNode);
    expect(nodes.filter(({ opType }) => opType === 'Resize')).toHaveLength(1);
    expect(dimsOf(bytes, 'scale_0')).toHaveLength(3);
  });

  it('computes in float32 if a file has other floats', () => {
    const casts = (type: number) => {
      const file = modelOf({ nodes: [RELU], inputs: [['x', type]] });
      const nodes = contents(graphOf(instrumentOnnx(file, targetOf())), NODE).map(readNode);
      return nodes.some(({ opType, inputs }) => opType === 'Cast' && inputs[0] === 'tap');
    };
    expect([1, 10, 11, 16].map(casts)).toEqual([false, true, true, true]);
  });

  it('takes other names if the file already has them, also in graphs inside of nodes', () => {
    const inner = { then_branch: { graph: [['Relu', ['tap'], ['fastcam/x']]] } } as const;
    const file = modelOf({
      nodes: [RELU, ['If', ['x'], ['saliency'], inner], ['Relu', ['tap'], ['fastcam_2/y']]],
    });
    const { outputs, bytes } = instrumentedModel(file, targetOf());
    expect(outputs).toEqual({ saliency: 'saliency_1', scales: ['scale_0_1'] });
    const made = contents(graphOf(bytes), NODE).slice(3);
    const names = made.flatMap((node) => [...readNode(node).outputs, ...textsIn(node, 3)]);
    for (const own of names) expect(own).toMatch(/^(fastcam_1\/|saliency_1$|scale_0_1$)/);
  });

  it('accepts a file that it wrote itself', () => {
    const once = instrumentOnnx(source, target);
    const { outputs, bytes } = instrumentedModel(once, target, { statistic: 'sd' });
    expect(outputs.saliency).toBe('saliency_1');
    expect(contents(graphOf(bytes), OUTPUT)).toHaveLength(1 + 2 * 6);
  });

  it('lists other files with weights', () => {
    expect(instrumentedModel(source, target).externalFiles).toEqual([]);
    const { externalFiles } = instrumentedModel(fileOf('external'), CASES['external']!.target);
    expect(externalFiles).toEqual(['external.bin']);
  });

  it.each<[InstrumentOptions, RegExp]>([
    [{ scaleWeights: [1, 2] }, /^scaleWeights: expected 3 for 3 taps, got 2$/],
    [{ scaleWeights: [0, 0, 0] }, /^scaleWeights: .* positive sum, got \[0, 0, 0\]$/],
    [{ scaleWeights: [1, -1, 3] }, /^scaleWeights: expected finite numbers ≥ 0/],
    [{ statistic: 'gamma' }, /^statistic: gamma cannot be said in ONNX's operators/],
    [{ statistic: 'truncated-normal-mean' }, /which can say smoe, sd, mean, max, shannon-entropy/],
    [{ cam: 'none', classInput: true }, /^classInput: without a class activation map/],
  ])('refuses %j', (options, message) => {
    expect(() => write(options)).toThrow(message);
    expect(() => write(options)).toThrow(expect.objectContaining({ name: 'ShapeError' }));
  });

  it('refuses what does not fit the file, by name', () => {
    const file = modelOf({ nodes: [RELU] });
    const refuse = (
      message: RegExp,
      more: Parameters<typeof targetOf>[0],
      options: InstrumentOptions = {},
    ) => expect(() => instrumentOnnx(file, targetOf(more), options)).toThrow(message);
    refuse(/^instrument: y is no input of the graph$/, { input: 'y' });
    refuse(/^instrument: z is no value of the graph$/, { logits: 'z' });
    refuse(/^taps: expected at least 1, got 0$/, { taps: [] });
    refuse(/^cam: gradcam expected a classifier that is linear/, {}, { cam: 'gradcam' });
    const fixed = /^size: the file takes inputs of 8×9 only, got 9×8$/;
    refuse(fixed, { size: [8, 9] }, { size: [9, 8] });
    const old = modelOf({ opset: 6, nodes: [RELU] });
    expect(() => instrumentOnnx(old, targetOf())).toThrow(
      /^instrument: expected a file of opset 7 to 28, got 6$/,
    );
  });
});
