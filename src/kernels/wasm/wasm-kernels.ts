/**
 * The SIMD backend: kernels in WebAssembly (assembly/), everything in one linear memory. Same
 * interface, same tests as the portable backend.
 */

import { UnsupportedError } from '../../errors.js';
import type { Conv2dShape } from '../js/conv2d.js';
import { linearShape } from '../js/linear.js';
import { relu } from '../js/relu.js';
import { checkLayerWeights } from '../layer-weights.js';
import type { Precision } from '../precision.js';
import { STATISTICS } from '../statistics/index.js';
import type {
  Algorithm,
  ArenaBuffer,
  Kernels,
  MapKernels,
  PackedWeights,
  Program,
  RestingLayer,
  Step,
} from '../step.js';
import {
  algorithmOf,
  type PanelExports,
  packConv2d,
  packedConv2dBytes,
  type ScratchBytes,
  scratchBytes,
  stageBytes,
  TASK_BYTES,
  unpackRow,
  type WasmConv2d,
  writeTask,
} from './conv2d.js';
import { alignUp, LinearMemory } from './linear-memory.js';
import { type MapExports, wasmMapKernels } from './maps.js';
import { loadModule, type ModuleLoader, type WasmBuild } from './modules.js';
import { type WasmModule, webAssembly } from './webassembly.js';

/** What assembly/index.ts exports. */
interface WasmExports extends PanelExports, MapExports {
  heapBase(): number;
  conv2dGemm(taskPtr: number): void;
  conv2dSparse(taskPtr: number): void;
  conv2dWinograd(taskPtr: number): void;
  globalAveragePool(outPtr: number, xPtr: number, N: number, pixels: number, C: number): void;
  maxPool(
    outPtr: number,
    xPtr: number,
    N: number,
    H: number,
    W: number,
    C: number,
    kernel: number,
    stride: number,
    padding: number,
    Hout: number,
    Wout: number,
  ): void;
}

export interface WasmOptions {
  /** Winograd's algorithm for 3×3 at stride 1 (default). Without, every convolution is a GEMM. */
  readonly winograd?: boolean;
}

/**
 * Makes the SIMD backend.
 *
 * @param module a compiled build of it, or the name of one; default: `relaxed` where the engine has
 * it, else `simd`
 * @throws {UnsupportedError} where the engine cannot run the build
 */
export function wasmKernels(
  module?: WasmModule | WasmBuild,
  options?: WasmOptions,
): Promise<Kernels> {
  return wasmKernelsFrom(loadModule, module, options);
}

/** `wasmKernels` over modules from elsewhere. */
export async function wasmKernelsFrom(
  load: ModuleLoader,
  module?: WasmModule | WasmBuild,
  { winograd = true }: WasmOptions = {},
): Promise<Kernels> {
  if (typeof module === 'object') return instantiate('wasm', module, winograd);
  const builds: readonly WasmBuild[] = module ? [module] : ['relaxed', 'simd'];
  for (const build of builds) {
    const compiled = await load(build);
    if (compiled) return instantiate(build, compiled, winograd);
  }
  throw new UnsupportedError(
    `wasm: this engine cannot run the ${builds.join(' or ')} build: choose another backend`,
  );
}

function instantiate(name: string, module: WasmModule, winograd: boolean): Kernels {
  const memory = new webAssembly!.Memory({ initial: 1 });
  const instance = new webAssembly!.Instance(module, { env: { memory } });
  const exports = instance.exports as WasmExports;
  return new WasmKernels(name, exports, new LinearMemory(memory, exports.heapBase()), winograd);
}

class WasmKernels implements Kernels {
  readonly name: string;
  readonly maps: MapKernels;
  readonly #exports: WasmExports;
  readonly #memory: LinearMemory;
  readonly #winograd: boolean;

  constructor(name: string, exports: WasmExports, memory: LinearMemory, winograd: boolean) {
    this.name = name;
    this.#exports = exports;
    this.#memory = memory;
    this.#winograd = winograd;
    this.maps = wasmMapKernels(memory, exports);
  }

  reserve(layers: readonly RestingLayer[]): void {
    const weights = layers.map((layer) => alignUp(packedConv2dBytes(layer)));
    const stage = Math.max(...layers.map(({ shape }) => stageBytes(shape)));
    this.#memory.reserve(weights.reduce((sum, bytes) => sum + bytes, stage));
  }

  packConv2d: Kernels['packConv2d'] = (shape, weights) =>
    packConv2d(this.#memory, this.#exports, shape, weights);

  packLinear: Kernels['packLinear'] = (Cin, Cout, weights) => {
    checkLayerWeights('linear', [Cout, Cin], weights);
    const packed = this.packConv2d({ Cin, Cout, kH: 1, kW: 1, groups: 1 }, weights) as WasmConv2d;
    return { ...packed, row: (out, oc) => unpackRow(this.#memory, this.#exports, packed, out, oc) };
  };

  release(weights: PackedWeights): void {
    this.#memory.release((weights as WasmConv2d).panelsPtr, weights.bytes);
  }

  bind(
    steps: readonly Step[],
    buffers: readonly ArenaBuffer[],
    weights: ReadonlyMap<string, PackedWeights>,
  ): Program {
    const precisionOf = (key: string): Precision => (weights.get(key) as WasmConv2d).precision;
    const layout = new ProgramLayout(this.#winograd, steps, buffers, precisionOf);
    return new WasmProgram(this.#exports, this.#memory, layout, steps, buffers, weights);
  }

  packedBytes: Kernels['packedBytes'] = packedConv2dBytes;

  programBytes: Kernels['programBytes'] = (steps, buffers, precisionOf) =>
    new ProgramLayout(this.#winograd, steps, buffers, precisionOf).bytes;
}

/** Where the parts of a program begin in its region: buffers, then scratch, then the tasks. */
class ProgramLayout {
  readonly bytes: number;
  readonly scratchBegin: number;
  readonly tasksBegin: number;
  readonly scratch: ScratchLayout;
  readonly convolutions: readonly (Convolution | undefined)[];

  constructor(
    winograd: boolean,
    steps: readonly Step[],
    buffers: readonly ArenaBuffer[],
    precisionOf: (weights: string) => Precision,
  ) {
    this.convolutions = steps.map((step) => convolutionOf(step, winograd, precisionOf));
    this.scratch = new ScratchLayout(this.convolutions);
    const arenaBytes = 4 * Math.max(...buffers.map(({ offset, length }) => offset + length));
    this.scratchBegin = alignUp(arenaBytes);
    this.tasksBegin = this.scratchBegin + this.scratch.bytes;
    this.bytes = this.tasksBegin + steps.length * TASK_BYTES;
  }
}

/** Steps bound to a region of linear memory. */
class WasmProgram implements Program {
  readonly bytes: number;
  readonly #memory: LinearMemory;
  readonly #buffers: readonly ArenaBuffer[];
  readonly #ptr: number;
  readonly #views: Float32Array[] = [];
  readonly #convolutions: readonly (Convolution | undefined)[];
  readonly #steps: (() => void)[];

  constructor(
    exports: WasmExports,
    memory: LinearMemory,
    { bytes, scratchBegin, tasksBegin, scratch, convolutions }: ProgramLayout,
    steps: readonly Step[],
    buffers: readonly ArenaBuffer[],
    weights: ReadonlyMap<string, PackedWeights>,
  ) {
    this.bytes = bytes;
    this.#convolutions = convolutions;
    this.#memory = memory;
    this.#buffers = buffers;
    this.#ptr = memory.allocate(this.bytes);

    const addresses = scratch.at(this.#ptr + scratchBegin);
    const pointer = (buffer: number | undefined): number =>
      buffer === undefined ? 0 : this.#ptr + 4 * buffers[buffer]!.offset;
    this.#steps = steps.map((step, i) => {
      const x = pointer(step.x);
      const out = pointer(step.out);
      if (step.op === 'maxPool') {
        const { N, H, W, C, kernel, stride, padding, Hout, Wout } = step.shape;
        return () => exports.maxPool(out, x, N, H, W, C, kernel, stride, padding, Hout, Wout);
      }
      if (step.op === 'globalAveragePool') {
        return () => exports.globalAveragePool(out, x, step.N, step.pixels, step.C);
      }
      // In JavaScript, over the buffers' views: a function of double precision has no use for lanes.
      if (step.op === 'statistic') {
        const { compute } = STATISTICS[step.statistic];
        return () => compute(this.buffer(step.out), this.buffer(step.x), step.C);
      }
      if (step.op === 'relu') return () => relu(this.buffer(step.out), this.buffer(step.x));
      const isConvolution = step.op === 'conv2d';
      const residual = isConvolution ? pointer(step.residual) : 0;
      const smoe = isConvolution ? pointer(step.smoe) : 0;
      const task = this.#ptr + tasksBegin + i * TASK_BYTES;
      const packed = weights.get(step.weights) as WasmConv2d;
      const isRectified = isConvolution && step.relu;
      const { shape, algorithm } = convolutions[i]!;
      const pointers = { x, out, residual, smoe };
      writeTask(memory, task, shape, algorithm, packed, isRectified, pointers, addresses);
      if (algorithm === 'winograd') return () => exports.conv2dWinograd(task);
      if (algorithm === 'sparse') return () => exports.conv2dSparse(task);
      return () => exports.conv2dGemm(task);
    });
  }

  buffer(index: number): Float32Array {
    const view = this.#views[index];
    // A view of a memory that has grown since is empty.
    if (view && view.length > 0) return view;
    const { offset, length } = this.#buffers[index]!;
    const fresh = this.#memory.floats(this.#ptr + 4 * offset, length);
    this.#views[index] = fresh;
    return fresh;
  }

  run(): void {
    for (let i = 0; i < this.#steps.length; i++) this.#steps[i]!();
  }

  runStep(index: number): void {
    this.#steps[index]!();
  }

  algorithm(index: number): Algorithm | undefined {
    return this.#convolutions[index]?.algorithm;
  }

  release(): void {
    this.#memory.release(this.#ptr, this.bytes);
  }
}

interface Convolution {
  readonly shape: Conv2dShape;
  readonly algorithm: Algorithm;
  readonly precision: Precision;
}

/** The convolution that a step is, if it is one. */
function convolutionOf(
  step: Step,
  winograd: boolean,
  precisionOf: (weights: string) => Precision,
): Convolution | undefined {
  if (step.op !== 'conv2d' && step.op !== 'linear') return undefined;
  const shape = step.op === 'conv2d' ? step.shape : linearShape(step);
  return {
    shape,
    algorithm: algorithmOf(shape, winograd),
    precision: precisionOf(step.weights),
  };
}

/** Scratch that serves one step at a time: each use as large as the largest step wants it. */
class ScratchLayout {
  readonly bytes: number;
  readonly #most = { rows: 0, a: 0, b: 0, products: 0, sums: 0, widened: 0 };

  constructor(convolutions: readonly (Convolution | undefined)[]) {
    for (const convolution of convolutions) {
      if (!convolution) continue;
      const { shape, algorithm, precision } = convolution;
      const wanted = scratchBytes(shape, algorithm, precision);
      for (const use of this.#uses) {
        this.#most[use] = alignUp(Math.max(this.#most[use], wanted[use]));
      }
    }
    this.bytes = this.#uses.reduce((sum, use) => sum + this.#most[use], 0);
  }

  /** Addresses of the uses, one after another. */
  at(ptr: number): ScratchBytes {
    const addresses = { ...this.#most };
    for (const use of this.#uses) {
      addresses[use] = ptr;
      ptr += this.#most[use];
    }
    return addresses;
  }

  get #uses(): (keyof ScratchBytes)[] {
    return Object.keys(this.#most) as (keyof ScratchBytes)[];
  }
}
