/**
 * The page's second engine: an ONNX file with saliency written into its graph, run by onnxruntime-web, on the GPU where
 * the browser has WebGPU. Loaded when it is chosen.
 *
 *   file ─ fastcam/instrument ─▶ file with more outputs ─ onnxruntime-web ─▶ logits, scale maps, class activation map
 */

import { FormatError } from 'fastcam';
import { type InstrumentTarget, instrumentedModel, instrumentTarget } from 'fastcam/instrument';
import type { Activation, ByteSource } from 'fastcam/model';
import { onnxSummary } from 'fastcam/onnx';
import type { SaliencyMap } from 'fastcam/viz';
import { toNdArray } from 'fastcam/viz';
import { InferenceSession, Tensor } from 'onnxruntime-web/webgpu';
import type { PassSettings } from './network.ts';
import { besideModel, type OnnxFiles } from './onnx.ts';

/** The part of WebGPU that is asked for; TypeScript's own types do not know it. */
declare const navigator: { readonly gpu?: { requestAdapter(): Promise<object | null> } };

export type WrittenMaps = Pick<PassSettings, 'statistic' | 'cam'>;

/** What one run gives. */
export interface Outcome {
  readonly logits: Float32Array;
  /** Normalised, first scale to last. */
  readonly scales: readonly SaliencyMap[];
  /** Of the class `target`, of the input's size, 0…1; where the classifier is linear. */
  readonly cam?: SaliencyMap;
  readonly target?: number;
}

/** An ONNX file with maps in its graph, in a session of onnxruntime-web. */
export class InstrumentedNetwork {
  /** `WebGPU` or `WebAssembly`. */
  readonly device: string;
  /** How often it has run. */
  runs = 0;
  readonly #session: InferenceSession;
  readonly #target: InstrumentTarget;
  readonly #written: ReturnType<typeof instrumentedModel>;
  readonly #activation: Activation;

  private constructor(
    session: InferenceSession,
    device: string,
    target: InstrumentTarget,
    written: ReturnType<typeof instrumentedModel>,
    activation: Activation,
  ) {
    this.device = device;
    this.#session = session;
    this.#target = target;
    this.#written = written;
    this.#activation = activation;
  }

  /**
   * @param activation what makes probabilities of logits
   * @throws {FormatError} as `instrumentedModel`, and what onnxruntime-web says of a model that it does not run
   */
  static async open(
    { model, given }: OnnxFiles,
    { statistic, cam }: WrittenMaps,
    activation: Activation,
  ): Promise<InstrumentedNetwork> {
    const { name } = model;
    const bytes = new Uint8Array(await model.arrayBuffer());
    const beside = new Map<string, Uint8Array>();
    for (const path of onnxSummary(bytes, name).externalFiles) {
      beside.set(path, new Uint8Array(await besideModel(path, given).arrayBuffer()));
    }
    const externalData = (path: string): ByteSource => {
      const data = beside.get(path)!;
      return { length: data.length, read: (begin, end) => data.subarray(begin, end) };
    };
    const target = instrumentTarget(bytes, name, { externalData });
    const options = target.head ? { cam, classInput: true } : { cam: 'none' as const };
    const written = instrumentedModel(bytes, target, { statistic, ...options });
    const hasGpu = Boolean(await navigator.gpu?.requestAdapter().catch(() => null));
    const session = await InferenceSession.create(written.bytes, {
      executionProviders: hasGpu ? ['webgpu'] : ['wasm'],
      externalData: [...beside].map(([path, data]) => ({ path, data })),
      logSeverityLevel: 3,
    });
    const device = hasGpu ? 'WebGPU' : 'WebAssembly';
    return new InstrumentedNetwork(session, device, target, written, activation);
  }

  /**
   * Runs the network: for a class once; else for the likeliest one, which takes a second run where that is not the
   * class that the first one was for.
   *
   * @param input [H, W, channels]
   */
  async run(
    input: Float32Array,
    size: readonly [number, number],
    target: number | undefined,
  ): Promise<Outcome> {
    const picture = this.#pictureOf(input, size);
    if (!this.#written.classInput) return this.#runFor(picture, undefined);
    const outcome = await this.#runFor(picture, target ?? 0);
    const likeliest = outcome.logits.indexOf(Math.max(...outcome.logits));
    if (target !== undefined || likeliest <= 0) return outcome;
    return this.#runFor(picture, likeliest);
  }

  /** Height and width of the input, where the file fixes them: onnxruntime takes no others, if the graph could. */
  get size(): readonly [number, number] | undefined {
    return this.#target.size;
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  async #runFor(picture: Tensor, target: number | undefined): Promise<Outcome> {
    const { classInput, outputs } = this.#written;
    const feeds: Record<string, Tensor> = { [this.#target.input]: picture };
    if (classInput) feeds[classInput] = new Tensor('int64', BigInt64Array.of(BigInt(target!)), [1]);
    const start = performance.now();
    const results = await this.#session.run(feeds);
    performance.measure('forward pass', { start });
    this.runs++;
    const map = (name: string): SaliencyMap => {
      const { data, dims } = results[name]!;
      return toNdArray((data as Float32Array).slice(), dims.slice(-2));
    };
    return {
      logits: this.#logitsOf(results),
      scales: outputs.scales.map(map),
      ...(outputs.cam !== undefined && { cam: map(outputs.cam), target: target! }),
    };
  }

  /** Where the file gives probabilities alone, their logarithms serve as well. */
  #logitsOf(results: InferenceSession.ReturnType): Float32Array {
    const logits = results[this.#target.logits];
    if (logits) return Float32Array.from(logits.data as Float32Array);
    const { data } = results[this.#session.outputNames[0]!]!;
    const odds = this.#activation === 'sigmoid' ? (p: number) => p / (1 - p) : (p: number) => p;
    // 0 has no logarithm.
    return Float32Array.from(data as Float32Array, (p) => Math.log(Math.max(odds(p), 1e-38)));
  }

  /** @throws {FormatError} for a file that takes something else than floats or bytes */
  #pictureOf(input: Float32Array, [H, W]: readonly [number, number]): Tensor {
    const { inputLayout, input: name } = this.#target;
    const metadata = this.#session.inputMetadata.find((one) => one.name === name);
    const type = metadata?.isTensor ? metadata.type : 'float32';
    const C = input.length / (H * W);
    const isLast = inputLayout === 'nhwc';
    const values = isLast ? input : channelsFirst(input, H * W, C);
    const dims = isLast ? [1, H, W, C] : [1, C, H, W];
    if (type === 'float32') return new Tensor(type, values, dims);
    if (type === 'uint8') return new Tensor(type, Uint8Array.from(values, Math.round), dims);
    throw new FormatError(`onnxruntime-web: input ${name} of ${type} is not fed by this page`);
  }
}

function channelsFirst(x: Float32Array, pixels: number, C: number): Float32Array {
  const out = new Float32Array(x.length);
  for (let c = 0; c < C; c++) {
    for (let p = 0; p < pixels; p++) out[c * pixels + p] = x[p * C + c]!;
  }
  return out;
}
