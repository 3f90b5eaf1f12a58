/**
 * The SIMD backend: kernels in WebAssembly (assembly/), with everything in one linear memory. It has the
 * same interface and the same tests as the portable backend.
 */

import { DISPOSE, owned } from '../../disposal.js';
import { oneOf, UnsupportedError } from '../../errors.js';
import type { Conv2dShape } from '../conv2d-shape.js';
import type { Precision } from '../precision.js';
import {
  type Algorithm,
  type ArenaBuffer,
  type Conv2dStep,
  isConv2d,
  type Kernels,
  type MapKernels,
  type OperatorStep,
  type PackedVectors,
  type PackedWeights,
  type Program,
  type RestingLayer,
  type Step,
} from '../step.js';
import { activationWords } from './activation.js';
import {
  algorithmOf,
  type Conv2dPointers,
  type PanelExports,
  packConv2d,
  packedConv2dBytes,
  type ScratchBytes,
  scratchBytes,
  stageBytes,
  TASK_BYTES,
  type WasmConv2d,
  writeTask,
} from './conv2d.js';
import { alignUp, LinearMemory } from './linear-memory.js';
import { type MapExports, wasmMapKernels } from './maps.js';
import { WasmVectors } from './vectors.js';
import type { ModuleLoader, WasmBuild } from './wasm-modules.js';
import {
  forbidden,
  prefersRelaxed,
  type WasmMemory,
  type WasmModule,
  webAssembly,
} from './webassembly.js';

/** The exports of assembly/index.ts. The functions of operators are exported by the operators' names, too. */
interface WasmExports extends PanelExports, MapExports {
  heapBase(): number;
  activate(...words: number[]): void;
  conv2dDepthwise(taskPtr: number): void;
  conv2dGemm(taskPtr: number): void;
  conv2dSparse(taskPtr: number): void;
  conv2dWinograd(taskPtr: number): void;
}

export interface WasmOptions {
  /** Winograd's algorithm for 3×3 at stride 1 (default). If false, these are GEMMs or skip zeros. */
  readonly winograd?: boolean;
}

/** `wasmKernels` of ../backend.ts, with modules from any source. */
export async function wasmKernelsFrom(
  load: ModuleLoader,
  module?: WasmModule | WasmBuild,
  { winograd = true }: WasmOptions = {},
): Promise<Kernels> {
  // If it is no module, the engine throws.
  if (typeof module === 'object') return instantiate('wasm', module, winograd);
  if (module !== undefined) oneOf('module', module, ['relaxed', 'simd']);
  const kernels = await firstKernels(load, module, winograd);
  if (kernels) return kernels;
  throw new UnsupportedError(
    `wasm: this engine cannot run the ${module ?? 'simd'} build: choose another backend`,
  );
}

/** The backend of a build, by default the faster one; `undefined` if the engine cannot run it. */
export async function firstKernels(
  load: ModuleLoader,
  build?: WasmBuild,
  winograd = true,
): Promise<Kernels | undefined> {
  const builds: readonly WasmBuild[] = prefersRelaxed() ? ['relaxed', 'simd'] : ['simd'];
  for (const name of build ? [build] : builds) {
    const compiled = await load(name);
    if (compiled) return instantiate(name, compiled, winograd);
  }
  return undefined;
}

function instantiate(name: string, module: WasmModule, winograd: boolean): Kernels {
  const memory = new webAssembly!.Memory({ initial: 1 });
  const exports = exportsOf(name, module, memory);
  return new WasmKernels(name, exports, new LinearMemory(memory, exports.heapBase()), winograd);
}

/** @throws {UnsupportedError} if a page's policy forbids it: WebKit checks the policy only after it has compiled */
function exportsOf(name: string, module: WasmModule, memory: WasmMemory): WasmExports {
  try {
    return new webAssembly!.Instance(module, { env: { memory } }).exports as WasmExports;
  } catch (cause) {
    throw cause instanceof TypeError ? cause : forbidden(name, cause);
  }
}

/** An instance of the module, with its memory. */
export interface Engine {
  /** An extension may put its own functions beside them (../gradient/wasm.ts). */
  exports: WasmExports;
  readonly memory: LinearMemory;
}

class WasmKernels implements Kernels {
  readonly name: string;
  isDisposed = false;
  /** `undefined` after `dispose`; fastcam/viz makes the same maps. */
  maps: MapKernels | undefined;
  readonly #winograd: boolean;
  #engine: Engine | undefined;

  constructor(name: string, exports: WasmExports, memory: LinearMemory, winograd: boolean) {
    this.name = name;
    this.#winograd = winograd;
    this.#engine = { exports, memory };
    this.maps = wasmMapKernels(memory, exports);
  }

  /** @throws {TypeError} after `dispose`, and if a framework has wrapped the kernels in a proxy */
  get engine(): Engine {
    return owned('kernels', #engine in this ? this.#engine : null);
  }

  dispose(): void {
    if (this.isDisposed || !this.engine) return;
    this.#engine = undefined;
    this.maps = undefined;
    this.isDisposed = true;
  }

  [DISPOSE](): void {
    this.dispose();
  }

  reserve(layers: readonly RestingLayer[]): void {
    const weights = layers.map((layer) => alignUp(this.packedBytes(layer)));
    const stages = layers.map((layer) => ('shape' in layer ? stageBytes(layer.shape) : 0));
    this.engine.memory.reserve(weights.reduce((sum, bytes) => sum + bytes, Math.max(...stages)));
  }

  packConv2d: Kernels['packConv2d'] = (shape, weights) =>
    packConv2d(this.engine.memory, this.engine.exports, shape, weights);

  packVectors: Kernels['packVectors'] = (scale, shift) =>
    new WasmVectors(this.engine.memory, scale, shift);

  release(weights: PackedWeights): void {
    const { panelsPtr, ptr = panelsPtr } = weights as WasmConv2d & { readonly ptr?: number };
    this.#engine?.memory.release(ptr, weights.bytes);
  }

  bind(
    steps: readonly Step[],
    buffers: readonly ArenaBuffer[],
    weights: ReadonlyMap<string, PackedWeights>,
  ): Program {
    const precisionOf = (key: string): Precision => (weights.get(key) as WasmConv2d).precision;
    const layout = layoutOf(this.#winograd, steps, buffers, precisionOf);
    const { exports, memory } = this.engine;
    return new WasmProgram(exports, memory, layout, steps, buffers, weights);
  }

  packedBytes(layer: RestingLayer): number {
    if ('channels' in layer) return 8 * layer.channels;
    return packedConv2dBytes(layer.shape, layer.precision);
  }

  programBytes: Kernels['programBytes'] = (steps, buffers, precisionOf) =>
    layoutOf(this.#winograd, steps, buffers, precisionOf).bytes;
}

/** Where the parts of a program begin in its region: buffers, then scratch, then the tasks. */
interface ProgramLayout {
  readonly bytes: number;
  readonly scratchBegin: number;
  readonly tasksBegin: number;
  readonly scratch: ScratchBytes;
  readonly convolutions: readonly (Convolution | undefined)[];
}

function layoutOf(
  winograd: boolean,
  steps: readonly Step[],
  buffers: readonly ArenaBuffer[],
  precisionOf: (weights: string) => Precision,
): ProgramLayout {
  const convolutions = steps.map((step) => convolutionOf(step, winograd, precisionOf));
  const scratch = sharedScratch(convolutions);
  const arenaBytes = 4 * Math.max(...buffers.map(({ offset, length }) => offset + length));
  const scratchBegin = alignUp(arenaBytes);
  const tasksBegin = Object.values(scratch).reduce((sum, bytes) => sum + bytes, scratchBegin);
  const bytes = tasksBegin + steps.length * TASK_BYTES;
  return { bytes, scratchBegin, tasksBegin, scratch, convolutions };
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

    const addresses = addressesOf(scratch, this.#ptr + scratchBegin);
    this.#steps = steps.map((step, i) => {
      if (!isConv2d(step)) return this.#bindOperator(exports, step, weights);
      const task = this.#ptr + tasksBegin + i * TASK_BYTES;
      const packed = weights.get(step.weights) as WasmConv2d;
      const { shape, algorithm } = convolutions[i]!;
      const pointers = this.#pointersOf(step);
      writeTask(memory, task, shape, algorithm, packed, step.activation, pointers, addresses);
      if (algorithm === 'winograd') return () => exports.conv2dWinograd(task);
      if (algorithm === 'depthwise') return () => exports.conv2dDepthwise(task);
      if (algorithm === 'sparse') return () => exports.conv2dSparse(task);
      return () => exports.conv2dGemm(task);
    });
  }

  /** The module's own kernel if it has one of that name; else the portable kernel on views. */
  #bindOperator(
    exports: WasmExports,
    step: OperatorStep,
    weights: ReadonlyMap<string, PackedWeights>,
  ): () => void {
    const vectors = step.weights === undefined ? undefined : weights.get(step.weights);
    const buffers = [step.out, ...step.inputs].map((buffer) => this.#pointer(buffer));
    const { activation } = step;
    if (activation) {
      const words = [...buffers, step.numbers[0]!, ...activationWords(activation)];
      return () => exports.activate(...words);
    }
    const own = (exports as unknown as Record<string, (...words: number[]) => void>)[step.op];
    if (own) {
      const ptr = vectors === undefined ? [] : [(vectors as WasmVectors).ptr];
      const words = [...buffers, ...ptr, ...step.numbers];
      return () => own(...words);
    }
    const inputs = new Array<Float32Array>(step.inputs.length);
    return () => {
      // The kernel is JavaScript and works on views of this memory.
      for (let i = 0; i < inputs.length; i++) inputs[i] = this.buffer(step.inputs[i]!);
      step.kernel(this.buffer(step.out), inputs, vectors as PackedVectors | undefined);
    };
  }

  #pointersOf({ x, out, residual, smoe }: Conv2dStep): Conv2dPointers {
    return {
      x: this.#pointer(x),
      out: this.#pointer(out),
      residual: residual === undefined ? 0 : this.#pointer(residual),
      smoe: smoe === undefined ? 0 : this.#pointer(smoe),
    };
  }

  #pointer(buffer: number): number {
    return this.#ptr + 4 * this.#buffers[buffer]!.offset;
  }

  buffer(index: number): Float32Array {
    const view = this.#views[index];
    // If the memory has grown, the old view is empty.
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

/** How a convolution step is computed. */
function convolutionOf(
  step: Step,
  winograd: boolean,
  precisionOf: (weights: string) => Precision,
): Convolution | undefined {
  if (!isConv2d(step)) return undefined;
  const { shape, sparse, weights } = step;
  const algorithm = algorithmOf(shape, sparse, winograd);
  return { shape, algorithm, precision: precisionOf(weights) };
}

/** Scratch for one step at a time: each use is as large as the largest step needs. */
function sharedScratch(convolutions: readonly (Convolution | undefined)[]): ScratchBytes {
  const most = { rows: 0, a: 0, b: 0, products: 0, sums: 0, widened: 0 };
  for (const convolution of convolutions) {
    if (!convolution) continue;
    const wanted = scratchBytes(convolution.shape, convolution.algorithm, convolution.precision);
    for (const use of usesOf(most)) most[use] = alignUp(Math.max(most[use], wanted[use]));
  }
  return most;
}

/** Addresses of the uses, one after the other. */
function addressesOf(scratch: ScratchBytes, ptr: number): ScratchBytes {
  let end = ptr;
  const addresses = { ...scratch };
  for (const use of usesOf(scratch)) {
    addresses[use] = end;
    end += scratch[use];
  }
  return addresses;
}

function usesOf(scratch: ScratchBytes): (keyof ScratchBytes)[] {
  return Object.keys(scratch) as (keyof ScratchBytes)[];
}
