/** Explains a picture of any size, strip by strip, as if the network had run over the whole of it at once. */

import { expectWhole, ShapeError } from '../errors.js';
import { checkFinite, type ExplainOptions, resolveOptions } from '../explain.js';
import { type Explained, Explanation, type ResolvedOptions } from '../explanation.js';
import { checkPicture, fitPicture, preprocess } from '../image/index.js';
import { type CamMethod, channelWeights, sideOf } from '../methods/cam.js';
import { fuse } from '../model/graph/fuse.js';
import { shapesOf, stridesOf, type ValueShape, valueNamed } from '../model/graph/node.js';
import type { AdaptiveMean } from '../model/graph/operators/adaptive-mean.js';
import { type Plan, plan } from '../model/graph/plan.js';
import { addTaps } from '../model/graph/scale-ends.js';
import type { Network } from '../model/index.js';
import type { Pass } from '../model/network.js';
import { toNdArray } from '../viz/index.js';
import { runHead, StreamedMean } from './head.js';
import { MapRows } from './map-rows.js';
import { checkReader, type FeatureStore, memoryStore, type PictureReader } from './reader.js';
import { type StripGraph, stripGraph } from './strip-graph.js';
import { type DividedGraph, type RowEnds, rowEndsOf } from './strips.js';
import { partsOf } from './trunk.js';

/** `fit` and `size` are left out: the network runs at the picture's own resolution. */
export interface TiledOptions extends Omit<ExplainOptions, 'fit' | 'size'> {
  /** The network computes about tile² pixels of the picture at a time; default 1024. */
  readonly tile?: number;
  /** Where features are kept until the class is known; default in memory. */
  readonly features?: FeatureStore;
  /** Continues a run after the strips that this state contains. */
  readonly resume?: TiledState;
  /** Called after each strip. @param state of the run so far; its arrays are views, valid until the next strip */
  readonly onStrip?: (done: number, state: () => TiledState) => void | Promise<void>;
  /** Such as an `AbortSignal`: stops between two strips, and throws the abort reason. */
  readonly signal?: { throwIfAborted(): void };
}

/** What a run needs to continue: rows of inner values, the maps so far, and sums. */
export interface TiledState {
  /** Strips that are done. */
  readonly strips: number;
  /** Values of the feature store that belong to them. */
  readonly features: number;
  readonly arrays: readonly (Float32Array | Float64Array)[];
}

/** How the picture was divided. */
export interface Tiling {
  readonly strips: number;
  /** Rows of a strip. */
  readonly rows: number;
  /** The most bytes of weights, arena and scratch at the same time. */
  readonly bytes: number;
}

export interface TiledExplanation {
  /** What `explain` gives for the whole picture. Maps of its full size are made only when they are asked for. */
  readonly explanation: Explanation;
  readonly tiling: Tiling;
  /** Any rows of the maps at the full size, without making the maps. */
  readonly maps: MapRows;
}

/**
 * Explains a picture of any size at its own resolution. The network runs over horizontal strips. Each layer computes
 * every row once, and keeps the rows that the next strip reads, so that all maps, logits and sums are those of the
 * whole picture, bit for bit.
 *
 * Beside the strip, what is in memory are the maps of the scales, and the rows that are kept: for a ResNet-50 on a
 * picture 10,000 pixels wide and high 140 and 230 MB.
 *
 * @throws {ShapeError} for a network that cannot be divided, naming the layer; for a state of another run; and as
 * `explain`
 */
export async function explainTiled(
  net: Network,
  reader: PictureReader,
  options: TiledOptions = {},
): Promise<TiledExplanation> {
  checkReader(reader);
  const { tile = 1024, resume, onStrip, signal } = options;
  expectWhole('tile', { tile });
  // Class activation maps of other classifiers need gradients, which would need all features at once.
  const cam = options.cam ?? (net.hasLinearHead ? 'gradcam++' : 'none');
  const resolved = resolveOptions(net, { ...options, cam });
  const run = new TiledRun(net, reader, resolved, tile, options.features);
  if (resume) run.restore(resume);
  while (run.done < run.strips) {
    signal?.throwIfAborted();
    await run.next();
    await onStrip?.(run.done / run.strips, () => run.state());
  }
  return run.finish();
}

/** Values of the whole graph that a run looks at. */
interface Watched {
  readonly value: number;
  /** For the whole picture. */
  readonly shape: ValueShape;
}

class TiledRun {
  readonly strips: number;
  done = 0;
  readonly #net: Network;
  readonly #reader: PictureReader;
  readonly #options: ResolvedOptions;
  readonly #plan: Plan;
  readonly #divided: DividedGraph;
  readonly #ends: RowEnds;
  #taps: readonly (Watched & { readonly map: Float32Array })[];
  /** By the value of the mean; each with the value that it reads. */
  readonly #means = new Map<number, StreamedMean>();
  readonly #pooled: readonly (Watched & { readonly mean: StreamedMean })[];
  /** What the classifier averages, if it is linear and class activation maps are wanted. */
  readonly #features: (Watched & { readonly mean: StreamedMean }) | undefined;
  readonly #store: FeatureStore;
  #stored = 0;
  #strip: StripGraph;
  /** The rows that the next strip reads, unless they are in its pass already. */
  #carried: Float32Array[] | undefined = [];
  #inPass: (() => Float32Array[]) | undefined;
  #bytes = 0;
  #preprocessMs = 0;
  #networkMs = 0;

  constructor(
    net: Network,
    reader: PictureReader,
    options: ResolvedOptions,
    tile: number,
    store: FeatureStore = memoryStore(),
  ) {
    const { width, height } = reader;
    const { statistic, taps: named, cam } = options;
    this.#net = net;
    this.#reader = reader;
    this.#options = options;
    this.#store = store;
    const prepared = net.preparedAt(height, width);
    const { graph, features } = prepared;
    const ends = named === true ? prepared.ends : named.map((name) => valueNamed(graph, name));
    const kept = features === undefined ? [] : [features];
    this.#plan = plan({ graph, ends, kept }, [1, height, width], { statistic });
    const tapped = addTaps(graph, ends, [statistic]);
    const fused = fuse(tapped.graph);
    const shapes = shapesOf(fused.graph, height, width);
    const watched = (value: number): Watched => ({ value, shape: shapes[value]! });
    const maps = tapped.taps.map(({ node }) => watched(fused.map[node]!));
    const classifier = graph.classes > 0 ? [fused.graph.output] : [];
    const wanted = [...maps.map(({ value }) => value), ...classifier];
    const parts = partsOf(fused.graph, shapes, wanted);
    const stride = Math.max(...stridesOf(graph));
    this.#divided = { graph: fused.graph, parts, shapes, stride };
    this.#taps = maps.map((tap) => ({ ...tap, map: new Float32Array(tap.shape.H * tap.shape.W) }));
    this.#pooled = fused.graph.nodes.flatMap(({ operator, inputs }, i) => {
      if (parts[i] !== 'pool') return [];
      const from = watched(inputs[0]!);
      const mean = new StreamedMean(operator as AdaptiveMean, from.shape);
      this.#means.set(i, mean);
      return [{ ...from, mean }];
    });
    const averaged = features === undefined ? -1 : fused.map[tapped.map[features]!]!;
    const isMapped = cam !== 'none' && net.hasLinearHead;
    this.#features = isMapped ? this.#pooled.find(({ value }) => value === averaged) : undefined;
    if (cam !== 'none' && !this.#features) {
      throw new ShapeError(
        'cam: of a divided picture, it needs a linear classifier; or choose none',
      );
    }
    this.#ends = rowEndsOf(this.#divided, tile ** 2);
    this.strips = this.#ends.length;
    this.#strip = this.#stripAt(0);
  }

  #stripAt(s: number): StripGraph {
    const wanted = [...this.#taps, ...this.#pooled].map(({ value }) => value);
    return stripGraph(this.#divided, this.#ends, s, [...new Set(wanted)]);
  }

  /** Rows `begin` … `end − 1` of the picture belong to strip `s`. */
  #rowsOf(s: number): readonly [begin: number, end: number] {
    return [s === 0 ? 0 : this.#ends[s - 1]![0]!, this.#ends[s]![0]!];
  }

  /** Runs the next strip. */
  async next(): Promise<void> {
    const { now } = this.#options;
    const [top, end] = this.#rowsOf(this.done);
    const { width } = this.#reader;
    const picture = await this.#reader.read(top, end - top);
    checkPicture('explainTiled: strip', picture);
    if (picture.width !== width || picture.height !== end - top) {
      throw new ShapeError(
        `explainTiled: reader expected to give ${width}×${end - top}, got ${picture.width}×${picture.height}`,
      );
    }
    const start = now();
    const strip = this.#strip;
    const pass = this.#passOf(strip, end - top);
    for (const [i, { node }] of strip.above.entries()) {
      // Each of the first nodes has its own buffer, of the same number.
      if (this.#carried) pass.buffer(node).set(this.#carried[i]!);
    }
    const { preprocessing, kernels } = this.#net;
    const geometry = fitPicture(width, end - top, 'stretch', [end - top, width]);
    preprocess(pass.input, picture, geometry, preprocessing, kernels.pictures?.resizeRows);
    const ready = now();
    pass.run();
    this.#collect(strip, pass);
    this.done++;
    if (this.done < this.strips) this.#carry(strip, pass);
    this.#preprocessMs += ready - start;
    this.#networkMs += now() - ready;
  }

  /** @throws {ShapeError} if another pass of the network has replaced the rows that are needed */
  #passOf({ graph, below, wanted, key }: StripGraph, height: number): Pass {
    const { width } = this.#reader;
    const kept = [...below, ...wanted].map(({ node }) => node);
    let isNew = false;
    const pass = this.#net.pass(`tiles ${width} ${this.#plan.H} ${kept} ${key}`, () => {
      isNew = true;
      return { plan: plan({ graph, ends: [], kept }, [1, height, width]) };
    });
    if (isNew && !this.#carried) {
      throw new ShapeError('explainTiled: the network was used for another picture meanwhile');
    }
    this.#bytes = Math.max(this.#bytes, pass.bytes + this.#net.weightBytes);
    return pass;
  }

  /** Takes what a strip computed: rows of maps, and features. */
  #collect({ below, wanted }: StripGraph, pass: Pass): void {
    for (const [k, { value, begin }] of wanted.entries()) {
      const rows = pass.buffer(pass.plan.kept[below.length + k]!.buffer);
      for (const { value: own, shape, map } of this.#taps) {
        if (own === value) map.set(rows, begin * shape.W);
      }
      for (const { value: own, mean } of this.#pooled) if (own === value) mean.add(rows, begin);
      if (this.#features?.value !== value) continue;
      this.#store.append(rows);
      this.#stored += rows.length;
    }
  }

  /** Keeps the rows that the next strip reads. They can stay where they are if the same pass computes it. */
  #carry(strip: StripGraph, pass: Pass): void {
    this.#strip = this.#stripAt(this.done);
    const { above, key } = this.#strip;
    const places = strip.below.map((_, k) => pass.plan.kept[k]!.buffer);
    const stay = key === strip.key && above.every(({ node }, k) => node === places[k]);
    const views = () => places.map((buffer) => pass.buffer(buffer));
    this.#inPass = stay ? views : undefined;
    this.#carried = stay ? undefined : views().map((rows) => rows.slice());
  }

  state(): TiledState {
    const s = this.done - 1;
    const maps = this.#taps.map(({ value, shape, map }) =>
      map.subarray(0, s < 0 ? 0 : this.#ends[s]![value]! * shape.W),
    );
    const halo = this.done === this.strips ? [] : (this.#carried ?? this.#inPass!());
    const sums = this.#pooled.map(({ mean }) => mean.sums);
    return { strips: this.done, features: this.#stored, arrays: [...halo, ...maps, ...sums] };
  }

  /** @throws {ShapeError} for a state of another run */
  restore({ strips, features, arrays }: TiledState): void {
    if (!(Number.isInteger(strips) && strips >= 0 && strips <= this.strips)) refuseState();
    this.done = strips;
    // If all strips are done, only the head is left.
    if (strips < this.strips) this.#strip = this.#stripAt(strips);
    const above = strips < this.strips ? this.#strip.above : [];
    this.#carried = above.map(({ value, count }) => {
      const { W, C } = this.#divided.shapes[value]!;
      return new Float32Array(count * W * C);
    });
    this.#stored = features;
    const own = this.state().arrays;
    const fits = own.every((array, i) => {
      const given = arrays[i];
      return given?.length === array.length && given.constructor === array.constructor;
    });
    if (!fits || arrays.length !== own.length) refuseState();
    for (const [i, array] of own.entries()) array.set(arrays[i]!);
  }

  finish(): TiledExplanation {
    const { now } = this.#options;
    const maps = this.#taps.map(({ map }) => map);
    const start = now();
    const net = this.#net;
    const { width, height } = this.#reader;
    const isClassified = net.labels.length > 0;
    const logits = isClassified ? runHead(net, this.#divided, this.#means) : new Float32Array(0);
    checkFinite('explainTiled: the result of the network', logits);
    this.#networkMs += now() - start;
    const bytes = this.#bytes - net.weightBytes;
    const explanation = new Explanation({
      net: this.#explained(logits),
      forward: { plan: this.#plan, maps, logits, features: new Float32Array(0), bytes },
      ...{ item: 0, width, height, region: { x: 0, y: 0, width, height } },
      options: this.#options,
      preprocessMs: this.#preprocessMs,
      networkMs: this.#networkMs,
    });
    // The explanation has its own copies.
    this.#taps = [];
    const [begin, end] = this.#rowsOf(Math.min(1, this.strips - 1));
    const tiling = { strips: this.strips, rows: end - begin, bytes: this.#bytes };
    const { scaleWeights } = this.#options;
    const { target, cam } = explanation;
    const coarse =
      cam === 'none' || target === undefined ? undefined : this.#camOf(logits, target, cam);
    const { H, W } = this.#features?.shape ?? { H: 0, W: 0 };
    const source = { maps: explanation.scaleMaps, scaleWeights, size: [height, width] as const };
    const coarseMap = coarse && toNdArray(coarse, [H, W]);
    return { explanation, tiling, maps: new MapRows(source, coarseMap) };
  }

  /** The network, as an explanation needs it: class activation maps read the stored features. */
  #explained(logits: Float32Array): Explained {
    const net = this.#net;
    const { activation, labels, weightBytes, kernels } = net;
    return {
      ...{ activation, labels, weightBytes, kernels, hasLinearHead: false },
      classIndex: (target) => net.classIndex(target),
      classWeights: (out, index) => net.classWeights(out, index),
      checkClassMaps: () => net.checkClassMaps(),
      classActivation: {
        at: '',
        make: (out, _, _size, index, method) =>
          out.set(this.#camOf(logits, index, method as CamMethod)),
      },
    };
  }

  /** `classActivationMap` of methods/cam.ts, a row of features at a time. */
  #camOf(logits: Float32Array, index: number, method: CamMethod): Float32Array {
    const { shape, mean } = this.#features!;
    const { H, W, C } = shape;
    const weights = new Float32Array(C);
    this.#net.classWeights(weights, index);
    const side = sideOf(logits);
    for (let k = 0; k < C; k++) weights[k]! *= side;
    const shares = Float64Array.from(mean.sums);
    channelWeights(shares, weights, H * W, method);
    const out = new Float32Array(H * W);
    const row = new Float32Array(W * C);
    for (let y = 0; y < H; y++) {
      this.#store.read(row, y * W * C);
      for (let x = 0; x < W; x++) {
        let sum = 0;
        for (let k = 0; k < C; k++) sum += shares[k]! * row[x * C + k]!;
        out[y * W + x] = Math.max(sum, 0);
      }
    }
    return out;
  }
}

function refuseState(): never {
  throw new ShapeError('explainTiled: resume has the state of another picture, network or option');
}
