/**
 * `fastcam/stream`: explanations of a video, frame by frame. Everything is allocated once; a frame is read from the
 * caller's bytes, and its results are written into the caller's arrays. `fastcam` alone does not contain it.
 */

import type { Calibration } from './calibration.js';
import { expectWhole, kindOf, oneOf, ShapeError } from './errors.js';
import { type ExplainOptions, geometryOf, resolveOptions } from './explain.js';
import { probabilitiesOf, type ResolvedOptions } from './explanation.js';
import { Frame, FrameReader } from './image/frames.js';
import { type DrawnPicture, fitInside, type Preprocessing, type Region } from './image/index.js';
import { PreparedClassMaps } from './methods/prepared-class-maps.js';
import { type Network, type Pass, type Plan, topClass } from './model/index.js';
import {
  type FlatArray,
  NORMALIZERS,
  type OverlayOptions,
  type SaliencyMap,
  toNdArray,
} from './viz/index.js';
import { placeInNormal } from './viz/normalize.js';
import { PreparedCombination, PreparedLovi, PreparedOverlay } from './viz/prepared.js';
import { RunningNormal } from './viz/running-normal.js';

export { type MapAgreement, mapAgreement } from './viz/agreement.js';

export interface StreamOptions extends ExplainOptions {
  /** Size of every frame, in pixels. */
  readonly width: number;
  readonly height: number;
  /**
   * Instead of each map's own constants, the Gaussian normaliser uses a running mean and deviation of each scale, as
   * batch norm has them. This is the share of the newest frame in them, 0…1; 0.1 is usual. They begin with the
   * constants of `calibration` if it is given, else with those of the first frame.
   */
  readonly momentum?: number;
  readonly overlay?: OverlayOptions;
  /** In place of parts of the network's own; `size` is the option of this name. */
  readonly preprocessing?: Partial<Preprocessing>;
  /** A clock in milliseconds, for `ms`; without it nothing is measured. */
  readonly now?: () => number;
}

/** RGBA bytes; the array of an `ImageData` is one. */
export type PictureBytes = Uint8Array | Uint8ClampedArray;

/**
 * Where the results of a frame are written. Only what is there is computed. The names are those of an `Explanation`;
 * `FrameStream.buffers` makes arrays of the right lengths.
 */
export interface FrameBuffers {
  /** [classes] */
  logits?: Float32Array;
  /** [classes] */
  probabilities?: Float64Array;
  /** [h, w] of each scale, the statistic. */
  rawMaps?: readonly Float32Array[];
  /** The same, normalised. */
  scaleMaps?: readonly Float32Array[];
  /** [height, width] of the stream, as the following. */
  combinedMap?: Float32Array;
  camMap?: Float32Array;
  fastcamMap?: Float32Array;
  nonClassMap?: Float32Array;
  /** The frame at the size of the maps, RGBA [height, width, 4], as the following. */
  picture?: PictureBytes;
  /** The combined map over it. */
  overlay?: PictureBytes;
  lovi?: PictureBytes;
}

/** Arrays that were made for results; the bytes of pictures are accepted by `new ImageData`. */
export type NewBuffers<Name extends keyof FrameBuffers> = {
  [Key in Name]: Key extends 'picture' | 'overlay' | 'lovi'
    ? DrawnPicture['data']
    : NonNullable<FrameBuffers[Key]>;
};

/** The results that are one array each. */
const FLAT = [
  ...(['logits', 'probabilities', 'combinedMap', 'camMap', 'fastcamMap', 'nonClassMap'] as const),
  ...(['picture', 'overlay', 'lovi'] as const),
];
/** The results that are one array for each scale. */
const BY_SCALE = ['rawMaps', 'scaleMaps'] as const;

type Flat = (typeof FLAT)[number];

/**
 * Prepares a network for frames of one size. Results are those of `explain` for the same frame and options, bit for
 * bit.
 *
 * `run` allocates nothing, once the engine has compiled it, with the Gaussian normaliser, SMOE Scale and opaque frames.
 *
 * @throws {ShapeError} as `explain` for an option out of range; for class activation maps if the classifier is not
 * linear; for `momentum` with another normaliser
 */
export function makeStream(net: Network, options: StreamOptions): FrameStream {
  return new FrameStream(net, options);
}

export class FrameStream {
  /** Size of maps and pictures: that of the frames, or as the option `maps` asks. */
  readonly width: number;
  readonly height: number;
  /** The part of the frame that the network sees, in pixels of the maps. */
  readonly region: Region;
  /** Height and width of the network's input. */
  readonly inputSize: readonly [H: number, W: number];
  /** Names of the values that are measured, first scale to last. */
  readonly scaleNames: readonly string[];
  /** Height and width of the map of each scale. */
  readonly scaleSizes: readonly (readonly [h: number, w: number])[];
  /** Milliseconds of the last frame, if there is a clock. `network` includes the statistic of each scale. */
  readonly ms: { preprocess: number; network: number; saliency: number; drawing: number };
  readonly #net: Network;
  readonly #options: ResolvedOptions;
  /** The class that is asked for; none is the top one of each frame. */
  readonly #fixedTarget: number | undefined;
  readonly #now: () => number;
  readonly #reader: FrameReader;
  readonly #plan: Plan;
  readonly #logits: Float32Array;
  readonly #probabilities: Float64Array;
  readonly #key: string;
  readonly #planned: () => { readonly plan: Plan };
  readonly #running: RunningNormal | undefined;
  readonly #scaleMaps: readonly SaliencyMap[];
  readonly #combined: PreparedCombination;
  readonly #classMaps: PreparedClassMaps | undefined;
  readonly #overlay: PreparedOverlay;
  readonly #lovi: PreparedLovi;
  #target = -1;
  /** The stream's own arrays of the results. */
  readonly #results: Readonly<Record<Flat, FlatArray | undefined>>;

  /** @throws as `makeStream` */
  constructor(net: Network, options: StreamOptions) {
    const { width, height } = options;
    expectWhole('stream', { width, height });
    const resolved = resolveFor(net, options);
    const { cam, target } = resolved;
    this.#net = net;
    this.#options = resolved;
    this.#fixedTarget = target === 'top' ? undefined : net.classIndex(target);
    this.#now = options.now ?? (() => 0);
    this.ms = { preprocess: 0, network: 0, saliency: 0, drawing: 0 };

    const frame = new Frame(options);
    const size = fitInside(frame, resolved.longSide);
    const geometry = geometryOf('stream', net, frame, options);
    const { window, region } = geometry;
    const preprocessing = { ...net.preprocessing, ...options.preprocessing };
    this.#reader = new FrameReader(frame, geometry, preprocessing, size);
    const { plan, input } = net.forward(1, window.height, window.width, resolved);
    // A network that takes no pictures is refused here.
    this.#reader.write(input);
    this.#plan = plan;
    this.#planned = () => ({ plan });
    const { taps, statistic, scaleWeights } = resolved;
    this.#key = `stream ${plan.H} ${plan.W} ${taps} ${statistic} ${!!net.classActivation}`;
    this.inputSize = [plan.H, plan.W];
    this.scaleNames = plan.taps.map(({ name }) => name);
    this.scaleSizes = plan.taps.map(({ H, W }) => [H, W] as const);

    this.width = size.width;
    this.height = size.height;
    const extents = [size.height, size.width] as const;
    this.region = scaled(region, size.width / width, size.height / height);
    this.#scaleMaps = this.scaleSizes.map(([h, w]) => toNdArray(new Float32Array(h * w), [h, w]));
    const { momentum, calibration } = options;
    this.#running =
      momentum === undefined
        ? undefined
        : new RunningNormal(plan.taps.length, momentum, calibration?.scales);
    this.#combined = new PreparedCombination(this.#scaleMaps, extents, scaleWeights, this.region);
    const combined = this.#combined.map;
    this.#overlay = new PreparedOverlay(this.#reader.picture.pixels, combined, options.overlay);
    this.#lovi = new PreparedLovi(this.#scaleMaps, extents, this.region);
    const features = plan.kept[0]?.shape;
    this.#classMaps =
      cam === 'none' || !features
        ? undefined
        : new PreparedClassMaps(combined, features, this.region, cam);
    this.#logits = new Float32Array(net.labels.length);
    this.#probabilities = new Float64Array(net.labels.length);
    this.#results = {
      logits: this.#logits,
      probabilities: this.#probabilities,
      combinedMap: combined.data,
      camMap: this.#classMaps?.camMap,
      fastcamMap: this.#classMaps?.fastcamMap,
      nonClassMap: this.#classMaps?.nonClassMap,
      picture: this.#reader.picture.data,
      overlay: this.#overlay.data,
      lovi: this.#lovi.data,
    };
  }

  /**
   * Arrays for the results of these names, for `run`.
   *
   * @throws {ShapeError} for an unknown name, and for class maps if `cam` is `none`
   */
  buffers<Name extends keyof FrameBuffers>(...names: Name[]): NewBuffers<Name> {
    const made = names.map((name) => [name, this.#bufferOf(name)]);
    return Object.fromEntries(made) as NewBuffers<Name>;
  }

  #bufferOf(name: keyof FrameBuffers): FlatArray | readonly Float32Array[] {
    oneOf('stream: buffers', name, [...FLAT, ...BY_SCALE]);
    if (name === 'rawMaps' || name === 'scaleMaps') {
      return this.#scaleMaps.map(({ data }) => new Float32Array(data.length));
    }
    const own = this.#result(name);
    return own instanceof Uint8Array ? new Uint8ClampedArray(own.length) : own.slice().fill(0);
  }

  /**
   * The running constants of the normaliser after the last frame: to save them, or to explain a picture with them. Only
   * with `momentum`, and once there are any.
   */
  get calibration(): Calibration | undefined {
    const scales = this.#running?.constants;
    return scales && { statistic: this.#options.statistic, scales };
  }

  /** Index of the class of the last frame's class maps; −1 without classifier, and before the first frame. */
  get target(): number {
    return this.#target;
  }

  /**
   * Explains one frame.
   *
   * @param frame RGBA [height, width, 4]; it is not kept
   * @param out where the results are written
   * @throws {ShapeError} for a frame or an array of another length, and if the network overflows
   */
  run(frame: PictureBytes, out: FrameBuffers): void {
    const now = this.#now;
    const start = now();
    this.#check(out);
    this.#reader.read(frame);
    // If the network was used for something else, its memory is bound to these steps again.
    const pass = this.#net.pass(this.#key, this.#planned);
    this.#reader.write(pass.input);
    const ready = now();
    pass.run();
    const seen = now();
    this.#classify(pass);
    this.#explain(pass, out);
    const explained = now();
    this.#draw(out);
    for (let i = 0; i < FLAT.length; i++) {
      const name = FLAT[i]!;
      out[name]?.set(this.#results[name]!);
    }
    const { ms } = this;
    ms.preprocess = ready - start;
    ms.network = seen - ready;
    ms.saliency = explained - seen;
    ms.drawing = now() - explained;
  }

  /** @throws {ShapeError} for an array of another length, or a result that the stream does not make */
  #check(out: FrameBuffers): void {
    for (let i = 0; i < FLAT.length; i++) {
      const name = FLAT[i]!;
      const array = out[name];
      if (array) checkLength(name, array, this.#result(name).length);
    }
    for (let s = 0; s < BY_SCALE.length; s++) {
      const name = BY_SCALE[s]!;
      const arrays = out[name];
      if (!arrays) continue;
      checkLength(name, arrays, this.#scaleMaps.length);
      for (let i = 0; i < arrays.length; i++) {
        checkLength(name, arrays[i]!, this.#scaleMaps[i]!.data.length);
      }
    }
  }

  #result(name: Flat): FlatArray {
    const own = this.#results[name];
    if (own) return own;
    throw new ShapeError(`stream: ${name}: no class activation map was asked for (cam: 'none')`);
  }

  /** Reads the logits. Weights near the limit of float32 overflow in the network; then there is no result. */
  #classify({ logits }: Pass): void {
    for (let i = 0; i < logits.length; i++) {
      if (Number.isFinite(logits[i])) continue;
      throw new ShapeError(
        `stream: the network gives ${logits[i]} for class ${i}: weights too large, or misread`,
      );
    }
    this.#logits.set(logits);
    if (logits.length > 0) this.#target = this.#fixedTarget ?? topClass(logits);
  }

  /** Makes the maps that are asked for. */
  #explain(pass: Pass, out: FrameBuffers): void {
    const { taps } = this.#plan;
    for (let i = 0; i < taps.length; i++) {
      const raw = pass.buffer(taps[i]!.map);
      this.#normalize(raw, i);
      if (out.rawMaps) out.rawMaps[i]!.set(raw);
      if (out.scaleMaps) out.scaleMaps[i]!.set(this.#scaleMaps[i]!.data);
    }
    if (out.probabilities) probabilitiesOf(this.#probabilities, this.#logits, this.#net.activation);
    const isOfClass = out.camMap || out.fastcamMap || out.nonClassMap;
    if (out.combinedMap || out.overlay || isOfClass) this.#combined.run();
    if (isOfClass) this.#classMaps!.run(this.#net, pass, this.#target);
  }

  /** The map of scale `i`, normalised. A running normaliser takes in every frame. */
  #normalize(raw: Float32Array, i: number): void {
    const { normalizer, calibration } = this.#options;
    const { data } = this.#scaleMaps[i]!;
    const constants = calibration?.scales[i];
    if (this.#running) this.#running.normalize(data, raw, i);
    // Without the checks of `NORMALIZERS`, which allocate: the stream has made them.
    else if (normalizer === 'gaussian' && constants) placeInNormal(data, raw, constants.gaussian!);
    else NORMALIZERS[normalizer](data, raw, constants);
  }

  #draw(out: FrameBuffers): void {
    if (out.picture || out.overlay) this.#reader.resize();
    if (out.overlay) this.#overlay.run();
    if (out.lovi) this.#lovi.run();
  }
}

/** Options with their defaults. @throws {ShapeError} as `makeStream` */
function resolveFor(net: Network, options: StreamOptions): ResolvedOptions {
  const { momentum, cam = net.hasLinearHead ? 'gradcam++' : 'none' } = options;
  const resolved = resolveOptions(net, { ...options, cam });
  if (cam !== 'none' && !net.hasLinearHead) {
    throw new ShapeError(
      'cam: a stream makes no gradients, and the classifier is not linear: choose none',
    );
  }
  if (momentum === undefined) return resolved;
  if (!(momentum >= 0 && momentum <= 1)) {
    throw new ShapeError(`momentum: expected 0…1, got ${kindOf(momentum)}`);
  }
  if (resolved.normalizer !== 'gaussian') {
    throw new ShapeError(`momentum: only for the normaliser gaussian, got ${resolved.normalizer}`);
  }
  return resolved;
}

function scaled({ x, y, width, height }: Region, across: number, down: number): Region {
  return { x: x * across, y: y * down, width: width * across, height: height * down };
}

function checkLength(name: string, { length }: ArrayLike<unknown>, expected: number): void {
  if (length === expected) return;
  throw new ShapeError(`stream: ${name} expected length ${expected}, got ${length}`);
}
