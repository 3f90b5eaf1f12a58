import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError, ShapeError } from '../../../src/errors.js';
import { instrumentOnnx } from '../../../src/model/onnx-instrument/index.js';
import { cpuMs } from '../../cpu-time.js';
import { CASES, fileOf, modelOf, NAMES, type NodeByHand, targetOf } from './files.js';

/** Of the processor. A case takes a millisecond, without a pause of the garbage collector. */
const MAX_CASE_MS = 2000;
const RUNS = 3000;
const RELU: NodeByHand = ['Relu', ['x'], ['tap']];

const FILES = NAMES.map((name) => ({ bytes: fileOf(name), target: CASES[name]!.target }));

/** Some bytes are others; then, perhaps, a piece is cut out, or is there twice. */
const mutation = fc.record({
  file: fc.nat(FILES.length - 1),
  edits: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), {
    maxLength: 6,
  }),
  cut: fc.option(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(40)), {
    nil: undefined,
  }),
  again: fc.boolean(),
});

describe('a damaged file', () => {
  it(`ends in an error that says so, or in a file (${RUNS} mutations)`, () => {
    let taken = 0;
    fc.assert(
      fc.property(mutation, ({ file, edits, cut, again }) => {
        const { bytes, target } = FILES[file]!;
        let mutated = bytes.slice();
        // Most bytes are weights: look at the first and the last thousand.
        const place = (at: number) => {
          const i = Math.floor(at * 1999);
          return i < 1000 ? i : mutated.length - 2000 + i;
        };
        for (const [at, byte] of edits) {
          const i = place(at);
          if (i >= 0 && i < mutated.length) mutated[i] = byte;
        }
        if (cut) {
          const begin = Math.max(0, place(cut[0]));
          const rest = mutated.subarray(begin + (again ? -cut[1] : cut[1]));
          mutated = Buffer.concat([mutated.subarray(0, begin), rest]);
        }
        const start = cpuMs();
        try {
          const out = instrumentOnnx(mutated, target);
          expect(out.length).toBeLessThan(mutated.length + 60_000);
          taken++;
        } catch (error) {
          if (!(error instanceof FormatError || error instanceof ShapeError)) throw error;
          expect(error.message.length).toBeLessThan(500);
        }
        expect(cpuMs() - start).toBeLessThan(MAX_CASE_MS);
      }),
      { numRuns: RUNS, seed: 13 },
    );
    expect(taken).toBeGreaterThan(RUNS / 20);
  }, 120_000);

  it('must not nest graphs without limit', () => {
    let nodes: readonly NodeByHand[] = [RELU];
    for (let depth = 0; depth < 40; depth++)
      nodes = [['If', ['x'], [], { body: { graph: nodes } }]];
    const file = modelOf({ nodes: [RELU, ...nodes] });
    expect(() => instrumentOnnx(file, targetOf())).toThrow(/^onnx: byte \d+ lies 17 graphs deep$/);
  });

  it('may have an attribute of a million numbers', () => {
    const starts = new Array<number>(1e6).fill(1);
    const slice: NodeByHand = ['Slice', ['tap'], ['y'], { starts, ends: starts }];
    // Starts and ends are one constant, axes another.
    const file = modelOf({ opset: 7, nodes: [RELU, slice] });
    expect(instrumentOnnx(file, targetOf()).length).toBeGreaterThan(16e6);
  });

  it('may have no graph, two of them, or no opset', () => {
    const file = modelOf({ nodes: [RELU] });
    const refuse = (bytes: number[], message: RegExp) =>
      expect(() => instrumentOnnx(Uint8Array.from(bytes), targetOf())).toThrow(message);
    refuse([], /^onnx: the file has no graph$/);
    refuse([...file, ...file], /^onnx: byte \d+ begins a second graph$/);
    refuse([0x3a, 0], /^onnx: the file does not say which opset of ONNX it uses$/);
  });

  it('may use all the names that we would add: twenty thousand of each', () => {
    const nodes: NodeByHand[] = [RELU, ['Relu', ['tap'], ['fastcam/']]];
    for (let n = 1; n < 20_000; n++) nodes.push(['Relu', ['tap'], [`fastcam_${n}/`, `cam_${n}`]]);
    const file = modelOf({ nodes: [...nodes, ['Relu', ['tap'], ['cam']]] });
    const start = cpuMs();
    expect(instrumentOnnx(file, targetOf()).length).toBeGreaterThan(file.length);
    expect(cpuMs() - start).toBeLessThan(5 * MAX_CASE_MS);
  });
});
