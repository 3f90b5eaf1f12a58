/** Several threads give the bits of one thread, and nothing hangs or is left over without them. */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import {
  type ActivationFunction,
  conv2dMacs,
  conv2dShape,
  type LayerWeights,
  layerWeights,
  type OperatorStep,
  type Step,
  wasmKernels,
} from '../../../src/kernels/index.js';
import { LEFT } from '../../../src/kernels/threads/protocol.js';
import { ThreadTeam } from '../../../src/kernels/threads/team.js';
import type { Engine } from '../../../src/kernels/wasm/wasm-kernels.js';
import { makeKernels } from '../../../src/threads.js';
import { convStep, runStep, seededFloats } from '../backends.js';

const ACTIVATIONS: readonly (ActivationFunction | undefined)[] = [
  undefined,
  { name: 'clip', parameters: [0, 6] },
  { name: 'silu', parameters: [] },
];

const two = await makeKernels({ backend: 'simd', threads: 2 });
const three = await makeKernels({ backend: 'simd', threads: 3 });
const one = await wasmKernels('simd');
const TEAMS = [two, three];
afterAll(() => {
  for (const kernels of [...TEAMS, one]) kernels.dispose();
});

/** Runs a step on one thread and on the teams, and compares the bits of all buffers. */
function expectSameBits(
  step: Step,
  buffers: readonly Float32Array[],
  weights?: LayerWeights,
  vectors?: Parameters<typeof runStep>[4],
): void {
  const [expected, ...got] = [one, ...TEAMS].map((kernels) => {
    const copies = buffers.map((buffer) => buffer.slice());
    runStep(kernels, step, copies, weights, vectors);
    return copies.map(({ buffer }) => Buffer.from(buffer));
  });
  for (const team of got) {
    expect(team.map((bytes, i) => bytes.equals(expected![i]!))).toEqual(buffers.map(() => true));
  }
}

describe('a step on several threads has the bits of one thread', () => {
  it('says how many threads there are', () => {
    expect(TEAMS.map(({ threads, fallback }) => [threads, fallback])).toEqual([
      [2, undefined],
      [3, undefined],
    ]);
  });

  const convolutions = fc.record({
    N: fc.integer({ min: 1, max: 4 }),
    H: fc.integer({ min: 1, max: 30 }),
    W: fc.integer({ min: 1, max: 30 }),
    Cin: fc.constantFrom(3, 16, 20, 32, 64),
    Cout: fc.constantFrom(20, 32, 48, 64, 96, 160),
    k: fc.constantFrom(1, 3, 5),
    groups: fc.constantFrom(1, 1, 1, 2, 4, 'each' as const),
    strideY: fc.integer({ min: 1, max: 3 }),
    strideX: fc.integer({ min: 1, max: 2 }),
    padY: fc.integer({ min: 0, max: 3 }),
    padX: fc.integer({ min: 0, max: 2 }),
    dilationY: fc.integer({ min: 1, max: 2 }),
    activation: fc.constantFrom(...ACTIVATIONS),
    onto: fc.boolean(),
    tap: fc.boolean(),
    sparse: fc.boolean(),
    precision: fc.constantFrom('f32', 'f32', 'f16', 'int8' as const),
  });

  it('a convolution of any shape, precision and epilogue', () => {
    let split = 0;
    fc.assert(
      fc.property(
        convolutions,
        ({ k, groups, activation, onto, tap, sparse, precision, ...rest }) => {
          const Cout = groups === 'each' ? rest.Cin : rest.Cout;
          const parameters = { ...rest, Cout, kH: k, kW: k, dilationX: 1 };
          const count = groups === 'each' ? rest.Cin : groups;
          fc.pre(rest.Cin % count === 0 && Cout % count === 0);
          fc.pre(rest.H + 2 * rest.padY > rest.dilationY * (k - 1) && rest.W + 2 * rest.padX >= k);
          const shape = conv2dShape({ ...parameters, groups: count });
          fc.pre(conv2dMacs(shape) < 2 ** 23);
          if (conv2dMacs(shape) >= 2 ** 18) split++;
          const { N, H, W, Cin, Hout, Wout } = shape;
          const M = N * Hout * Wout;
          const optional = { ...(onto && { residual: 1 }), ...(activation && { activation }) };
          const step = convStep({ shape, sparse, ...optional, ...(tap && { smoe: 2 }) });
          const x = seededFloats(N * H * W * Cin, 1).map((v) => (sparse && v < 0 ? 0 : v));
          const buffers = [x, seededFloats(M * Cout, 2), new Float32Array(M)];
          const weight = seededFloats((Cout * Cin * k * k) / count, 3);
          const weights = { ...layerWeights(weight, seededFloats(Cout, 4)), precision };
          expectSameBits(step, buffers, weights);
        },
      ),
      { numRuns: 200 },
    );
    expect(split).toBeGreaterThan(80);
  });

  const channels = fc.integer({ min: 1, max: 40 });
  const side = fc.integer({ min: 8, max: 60 });

  it.each(['maxPool', 'meanPool', 'add', 'affine', 'concat', 'mul', 'smoe', 'activate'])(
    '%s of any size',
    (op) => {
      fc.assert(
        fc.property(
          fc.record({ N: fc.integer({ min: 1, max: 2 }), H: side, W: side, C: channels }),
          (extents) => {
            const { step, buffers, vectors } = operatorCase(op, extents);
            expectSameBits(step, buffers, undefined, vectors);
          },
        ),
        { numRuns: 15 },
      );
    },
  );
});

/** A step of an operator, its buffers and its vectors. */
function operatorCase(op: string, { N, H, W, C }: { N: number; H: number; W: number; C: number }) {
  const pixels = N * H * W;
  const length = pixels * C;
  const width = C + 5;
  const pool = [
    N,
    H,
    W,
    C,
    3,
    3,
    2,
    2,
    1,
    1,
    Math.floor((H - 1) / 2) + 1,
    Math.floor((W - 1) / 2) + 1,
  ];
  const pooled = N * pool[10]! * pool[11]! * C;
  const cases: Record<string, { numbers: number[]; out: number; second?: number }> = {
    maxPool: { numbers: pool, out: pooled },
    meanPool: { numbers: [...pool, 1, 1, 0], out: pooled },
    add: { numbers: [length, 0, Infinity], out: length, second: length },
    affine: { numbers: [pixels, C, width, 3, 0, 6], out: pixels * width },
    concat: { numbers: [pixels, C, width, 3], out: pixels * width },
    mul: { numbers: [N, H * W, C], out: length, second: N * C },
    smoe: { numbers: [pixels, C], out: pixels },
    activate: { numbers: [length], out: length },
  };
  const { numbers, out, second } = cases[op]!;
  const inputs = [length, ...(second === undefined ? [] : [second])];
  const silu: ActivationFunction = { name: 'silu', parameters: [] };
  const step: Step = {
    op,
    inputs: inputs.map((_, i) => i),
    out: inputs.length,
    numbers,
    kernel: () => expect.fail('a portable kernel'),
    shape: '',
    ...(op === 'activate' && { activation: silu }),
    ...(op === 'affine' && { weights: 'w' }),
  } satisfies OperatorStep;
  const buffers = [...inputs, out].map((n, i) => seededFloats(n, i + 1));
  const vectors =
    op === 'affine' ? { scale: seededFloats(width, 8), shift: seededFloats(width, 9) } : undefined;
  return { step, buffers, vectors };
}

describe('threads that are not there', () => {
  it('plain JavaScript has one, and says so', async () => {
    const kernels = await makeKernels({ backend: 'js', threads: 4 });
    expect([kernels.name, kernels.threads, kernels.fallback]).toEqual([
      'js',
      undefined,
      'one thread: plain JavaScript has no threads',
    ]);
  });

  it('a page that is not isolated has one, and says so', async () => {
    vi.stubGlobal('crossOriginIsolated', false);
    const kernels = await makeKernels({ threads: 2 });
    vi.unstubAllGlobals();
    expect(kernels.fallback).toBe('one thread: the page is not cross-origin isolated');
  });

  it.each([0, -1, 1.5, Number.NaN])('%d threads are refused', async (threads) => {
    await expect(makeKernels({ threads })).rejects.toThrow(
      /^kernels: threads expected a whole number ≥ 1, got /,
    );
  });
});

describe('a thread that ends', () => {
  /** A team of this thread and one that does with the control block what a script says. */
  async function teamWith(script: string, onLoss: () => void): Promise<ThreadTeam> {
    const words = new Int32Array(new SharedArrayBuffer(4096));
    const worker = new Worker(
      `const { parentPort, workerData: words } = require('node:worker_threads'); parentPort.postMessage(''); ${script}`,
      { eval: true, workerData: words },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    const end = () => void worker.terminate();
    return new ThreadTeam({} as Engine, words, [{ end }], onLoss, 200);
  }

  it('in the middle of its work: an error, then one thread', async () => {
    let losses = 0;
    // Takes a call, and never says that it is done.
    const script = `while (Atomics.load(words, ${LEFT}) === 0); Atomics.sub(words, ${LEFT}, 1);`;
    const team = await teamWith(script, () => losses++);
    const slow = { at: 0, count: 4, call: () => burn(20) };
    expect(() => team.run(slow)).toThrow(
      'threads: a thread has ended in the middle of its work: run again, on one thread',
    );
    expect(losses).toBe(1);
    let calls = 0;
    team.run({ at: 0, count: 4, call: () => void calls++ });
    expect(calls).toBe(4);
  });

  it('between two passes: nobody waits for it', async () => {
    const team = await teamWith('process.exit()', () => {});
    let calls = 0;
    team.run({ at: 0, count: 4, call: () => void calls++ });
    expect(calls).toBe(4);
    team.end();
  });
});

describe('the process', () => {
  const dist = fileURLToPath(new URL('../../../dist/threads.js', import.meta.url));
  const run = (script: string): string =>
    execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '--eval', script], {
      encoding: 'utf8',
      timeout: 20_000,
      env: { ...process.env, URL: dist },
    });

  it('ends by itself when it has nothing to do', () => {
    const script = `const { makeKernels } = await import(process.env.URL);
      console.log((await makeKernels({ threads: 3 })).threads);`;
    expect(run(script)).toBe('3\n');
  });

  it.each([
    ['dispose', 'kernels.dispose()'],
    ['nothing refers to the kernels any more', 'kernels = undefined; gc()'],
  ])('has no thread more after %s', (_, forget) => {
    const script = `const { makeKernels } = await import(process.env.URL);
      let running = 0;
      process.on('worker', (worker) => { running++; worker.on('exit', () => running--); });
      let kernels = await makeKernels({ threads: 3 });
      const before = running;
      await new Promise((done) => setTimeout(done));
      ${forget};
      for (let i = 0; i < 100 && running > 0; i++) await new Promise((done) => setTimeout(done, 20));
      console.log(before, running);`;
    expect(run(script)).toBe('2 0\n');
  });
});

function burn(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
