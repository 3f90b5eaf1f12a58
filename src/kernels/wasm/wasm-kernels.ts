/**
 * The SIMD backend: kernels in WebAssembly (assembly/), with everything in one linear memory. It has the
 * same interface and the same tests as the portable backend.
 */

import { DISPOSE, owned } from '../../disposal.js';
import { oneOf, UnsupportedError } from '../../errors.js';
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
  blockOf,
  type Conv2dPointers,
  type Conv2dTask,
  type Convolution,
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
interface WasmExports
  extends PanelExports,
    MapExports,
    Record<Algorithm, (taskPtr: number) => void> {
  heapBase(): number;
  activate(...words: number[]): void;
}

/** Threads that share the work of every step (../threads). */
export interface Team {
  /** Bytes that a program needs for them. @param scratchBytes of one thread */
  programBytes(steps: readonly Step[], scratchBytes: number): number;
  /**
   * Binds the steps of a program, one after another.
   *
   * @param ptr a region of `programBytes` bytes
   * @param scratch addresses of this thread's scratch
   */
  bind(ptr: number, scratch: ScratchBytes, scratchBytes: number): Binder;
  /** Ends the threads. */
  end(): void;
}

/** Each method returns what runs a step; `undefined` if one thread is to run it. */
export interface Binder {
  conv2d(task: Conv2dTask): (() => void) | undefined;
  /** @param words the arguments of the kernel */
  operator(name: string, words: readonly number[]): (() => void) | undefined;
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
  if (typeof module === 'object') return kernelsOn('wasm', engineOf('wasm', module), winograd);
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
  for (const name of build ? [build] : buildsByPreference()) {
    const compiled = await load(name);
    if (compiled) return kernelsOn(name, engineOf(name, compiled), winograd);
  }
  return undefined;
}

/** The builds, the faster one first. */
export function buildsByPreference(): readonly WasmBuild[] {
  return prefersRelaxed() ? ['relaxed', 'simd'] : ['simd'];
}

/** An instance of a module, with a memory of its own by default. */
export function engineOf(
  name: string,
  module: WasmModule,
  memory: WasmMemory = new webAssembly!.Memory({ initial: 1 }),
): Engine {
  const exports = exportsOf(name, module, memory);
  return { exports, memory: new LinearMemory(memory, exports.heapBase()) };
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
  /** Several threads, with a memory that they share. */
  readonly team?: Team;
}

/** The backend on an engine. */
export function kernelsOn(name: string, engine: Engine, winograd?: boolean): Kernels {
  return new WasmKernels(name, engine, winograd);
}

class WasmKernels implements Kernels {
  readonly name: string;
  isDisposed = false;
  /** `undefined` after `dispose`; fastcam/viz makes the same maps. */
  maps: MapKernels | undefined;
  readonly #winograd: boolean;
  #engine: Engine | undefined;

  constructor(name: string, engine: Engine, winograd = true) {
    this.name = name;
    this.#winograd = winograd;
    this.#engine = engine;
    this.maps = wasmMapKernels(engine.memory, engine.exports);
  }

  /** @throws {TypeError} after `dispose`, and if a framework has wrapped the kernels in a proxy */
  get engine(): Engine {
    return owned('kernels', #engine in this ? this.#engine : null);
  }

  dispose(): void {
    if (this.isDisposed) return;
    this.engine.team?.end();
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
    const { ptr, bytes } = weights as WasmConv2d | WasmVectors;
    this.#engine?.memory.release(ptr, bytes);
  }

  bind(
    steps: readonly Step[],
    buffers: readonly ArenaBuffer[],
    weights: ReadonlyMap<string, PackedWeights>,
  ): Program {
    const precisionOf = (key: string): Precision => (weights.get(key) as WasmConv2d).precision;
    const layout = this.#layoutOf(steps, buffers, precisionOf);
    return new WasmProgram(this.engine, layout, steps, buffers, weights);
  }

  packedBytes(layer: RestingLayer): number {
    if ('channels' in layer) return 8 * layer.channels;
    return packedConv2dBytes(layer.shape, layer.precision);
  }

  programBytes: Kernels['programBytes'] = (...program) => this.#layoutOf(...program).bytes;

  #layoutOf(
    steps: readonly Step[],
    buffers: readonly ArenaBuffer[],
    precisionOf: (weights: string) => Precision,
  ): ProgramLayout {
    const convolutions = steps.map((step) => convolutionOf(step, this.#winograd, precisionOf));
    const scratch = sharedScratch(convolutions);
    const arenaBytes = 4 * Math.max(...buffers.map(({ offset, length }) => offset + length));
    const scratchBegin = alignUp(arenaBytes);
    const tasksBegin = Object.values(scratch).reduce((sum, bytes) => sum + bytes, scratchBegin);
    const teamBegin = tasksBegin + steps.length * TASK_BYTES;
    const teamBytes = this.engine.team?.programBytes(steps, tasksBegin - scratchBegin) ?? 0;
    const bytes = teamBegin + teamBytes;
    return { bytes, scratchBegin, tasksBegin, teamBegin, scratch, convolutions };
  }
}

/** Where the parts of a program begin in its region: buffers, then scratch, then the tasks, then those of the team. */
interface ProgramLayout {
  readonly bytes: number;
  readonly scratchBegin: number;
  readonly tasksBegin: number;
  readonly teamBegin: number;
  readonly scratch: ScratchBytes;
  readonly convolutions: readonly (Convolution | undefined)[];
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
    { exports, memory, team }: Engine,
    { bytes, scratchBegin, tasksBegin, teamBegin, scratch, convolutions }: ProgramLayout,
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
    const binder = team?.bind(this.#ptr + teamBegin, addresses, tasksBegin - scratchBegin);
    this.#steps = steps.map((step, i) => {
      if (!isConv2d(step)) return this.#bindOperator(exports, binder, step, weights);
      const ptr = this.#ptr + tasksBegin + i * TASK_BYTES;
      const convolution = convolutions[i]!;
      const { algorithm } = convolution;
      const task = {
        ...convolution,
        columns: step.shape.Cout,
        activation: step.activation,
        weights: weights.get(step.weights) as WasmConv2d,
        pointers: this.#pointersOf(step),
      };
      writeTask(memory, ptr, task, addresses);
      return binder?.conv2d(task) ?? (() => exports[algorithm](ptr));
    });
  }

  /** The module's own kernel if it has one of that name; else the portable kernel on views. */
  #bindOperator(
    exports: WasmExports,
    binder: Binder | undefined,
    step: OperatorStep,
    weights: ReadonlyMap<string, PackedWeights>,
  ): () => void {
    const vectors = step.weights === undefined ? undefined : weights.get(step.weights);
    const buffers = [step.out, ...step.inputs].map((buffer) => this.#pointer(buffer));
    const { activation } = step;
    if (activation) {
      const words = [...buffers, step.numbers[0]!, ...activationWords(activation)];
      return binder?.operator('activate', words) ?? (() => exports.activate(...words));
    }
    const own = (exports as unknown as Record<string, (...words: number[]) => void>)[step.op];
    if (own) {
      const ptr = vectors === undefined ? [] : [(vectors as WasmVectors).ptr];
      const words = [...buffers, ...ptr, ...step.numbers];
      return binder?.operator(step.op, words) ?? (() => own(...words));
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

/** How a convolution step is computed. */
function convolutionOf(
  step: Step,
  winograd: boolean,
  precisionOf: (weights: string) => Precision,
): Convolution | undefined {
  if (!isConv2d(step)) return undefined;
  const { shape, sparse, weights } = step;
  const algorithm = algorithmOf(shape, sparse, winograd);
  const block = blockOf(shape, algorithm);
  return { shape, algorithm, block, precision: precisionOf(weights) };
}

/** Scratch for one step at a time: each use is as large as the largest step needs. */
function sharedScratch(convolutions: readonly (Convolution | undefined)[]): ScratchBytes {
  const most = { rows: 0, a: 0, b: 0, products: 0, sums: 0, widened: 0 };
  for (const convolution of convolutions) {
    if (!convolution) continue;
    const wanted = scratchBytes(convolution);
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
