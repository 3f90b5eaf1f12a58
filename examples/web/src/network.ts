/**
 * The network from the page's side: requests to the worker as promises, and what travels between the
 * two. Everything is plain data; large arrays are handed over, not copied.
 */

import type { Statistic } from 'fastcam';
import type { CamMethod } from 'fastcam/methods';
import type { Activation, PixelRange } from 'fastcam/model';
import type { MapAgreement } from 'fastcam/stream';
import type { Colormap, SaliencyMap } from 'fastcam/viz';
import type { OwnWeights } from './weights.ts';

/** What the page knows of the network that is loaded. */
export interface Model {
  readonly name: string;
  /** The backend that computes: `relaxed`, `simd` or `js`. */
  readonly backend: string;
  /** Of the classes; empty where there is no classifier. */
  readonly labels: readonly string[];
  /** What makes probabilities of logits. */
  readonly activation: Activation;
  /** Where the scales end, first to last, by the names that the network has for it. */
  readonly scales: readonly string[];
  /** What is to be said about the weights, a line each. */
  readonly warnings: readonly string[];
  /** Channels of the input: 3, or 1 as grey. */
  readonly channels: number;
  /** Whether it is one's own, of which the page may be told what pixels become before it. */
  readonly isOwn: boolean;
  /** Whether it is an ONNX file, which onnxruntime-web takes as well. */
  readonly isOnnx: boolean;
  /** What is to be said of the pixels, where nobody says what becomes of them. */
  readonly pixels?: string;
  /**
   * [classes, C]: the classifier, so that any class has its map without asking the worker. None where it
   * is not linear in the features: its maps need gradients.
   */
  readonly classWeights?: Float32Array<ArrayBuffer>;
}

/** What pixels become before the network: what is said beside its weights, or a range. */
export type Pixels = 'said' | PixelRange;

/** What runs the network: this library, or onnxruntime-web an ONNX file with maps in its graph. */
export type Engine = 'fastcam' | 'onnxruntime';

/** What a forward pass depends on, beside network and picture. */
export interface PassSettings {
  readonly statistic: Statistic;
  readonly pixels: Pixels;
  readonly engine: Engine;
  /** Of onnxruntime-web's maps; fastcam's are made from a pass's features. */
  readonly cam: CamMethod;
  /** The class of onnxruntime-web's maps; default the likeliest. */
  readonly target: number | undefined;
}

/** By what a pass differs from others: of onnxruntime-web by the class and the method, too. */
export function passKey({ statistic, pixels, engine, cam, target }: PassSettings): string {
  const made = engine === 'onnxruntime' ? `${cam} ${target ?? 'likeliest'}` : '';
  return `${statistic} ${pixels} ${engine} ${made}`;
}

/** What one forward pass leaves, before any normalisation. */
export interface Pass {
  readonly statistic: Statistic;
  /** What has run it, as the page tells it. */
  readonly engine: string;
  /** The statistic at each scale, first to last, native resolution. */
  readonly rawMaps: readonly SaliencyMap[];
  /** Whether they are normalised already, by the Gaussian: those of onnxruntime-web. */
  readonly isNormalized?: boolean;
  /** The class activation map of a class, where the network itself has made it. */
  readonly madeCam?: { readonly map: SaliencyMap; readonly target: number };
  /** [classes]; empty where there is no classifier. */
  readonly logits: Float32Array;
  /** What the classifier averages, [h, w, C], where it is linear in that. */
  readonly features?: { readonly data: Float32Array; readonly size: readonly [number, number] };
  readonly ms: { readonly preprocess: number; readonly network: number };
  /** Forward passes that the worker has run so far. */
  readonly passes: number;
}

/** A method that is compared, and what it is for. */
export interface MethodSettings {
  /** Its name in COMPARED_METHODS. */
  readonly name: string;
  readonly pixels: Pixels;
  readonly target: number;
  /** Size of the map. */
  readonly size: readonly [height: number, width: number];
}

/** The map of a method, and what it took. */
export interface MethodResult {
  /** [height, width] in [0, 1] */
  readonly map: SaliencyMap;
  /** Of one call, from the network's input to the map at its size: the least of several, if it is quick. */
  readonly ms: number;
  /** The most memory beside the weights. */
  readonly bytes: number;
}

/** The activations where a scale ends: [H, W, C], a column for each place. */
export interface ScaleColumns {
  readonly data: Float32Array<ArrayBuffer>;
  readonly shape: readonly [H: number, W: number, C: number];
}

/** What frames of the camera are explained by. */
export interface LiveSettings {
  readonly statistic: Statistic;
  readonly pixels: Pixels;
  readonly scaleWeights: readonly number[];
  readonly colormap: Colormap;
  /** The share of the map's colour over the frame, 0…1. */
  readonly opacity: number;
  /** Whether the normaliser has running constants, so that frames can be compared. */
  readonly isRunning: boolean;
}

/** Pictures of a frame, RGBA, which go back and forth between page and worker. */
export interface LivePictures {
  readonly overlay: Uint8ClampedArray<ArrayBuffer>;
  readonly lovi: Uint8ClampedArray<ArrayBuffer>;
}

export interface LiveResult extends LivePictures {
  readonly width: number;
  readonly height: number;
  /** The frame, reduced. */
  readonly picture: Uint8ClampedArray<ArrayBuffer>;
  readonly ms: { readonly network: number; readonly saliency: number; readonly drawing: number };
  /** The likeliest class, if there is a classifier. */
  readonly top?: { readonly index: number; readonly probability: number };
  /** Of this frame's saliency and that of the one before. */
  readonly agreement?: MapAgreement;
}

export type Task =
  /** Without weights: the bundled model. */
  | { readonly kind: 'load'; readonly weights?: OwnWeights }
  /** The picture of the passes that follow. */
  | { readonly kind: 'show'; readonly bitmap: ImageBitmap }
  | { readonly kind: 'pass'; readonly settings: PassSettings }
  | { readonly kind: 'method'; readonly settings: MethodSettings }
  /** The activations of the picture. */
  | { readonly kind: 'columns'; readonly pixels: Pixels }
  /** A frame of the camera. */
  | {
      readonly kind: 'frame';
      readonly bitmap: ImageBitmap;
      readonly settings: LiveSettings;
      readonly pictures?: LivePictures;
    };

export type Request = Task & { readonly id: number };

export type Reply =
  | { readonly id: number; readonly progress: number }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class Network {
  readonly #worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  /** @param onProgress is told how far the task at hand has come, 0…1 */
  constructor(onProgress: (done: number) => void) {
    this.#worker.onmessage = ({ data: reply }: MessageEvent<Reply>) => {
      if ('progress' in reply) {
        onProgress(reply.progress);
        return;
      }
      const waiting = this.#waiting.get(reply.id)!;
      this.#waiting.delete(reply.id);
      if ('error' in reply) waiting.reject(new Error(reply.error));
      else waiting.resolve(reply.result);
    };
    this.#worker.onerror = ({ message }) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`The network: ${message}`));
      this.#waiting.clear();
    };
  }

  /** Loads weights of one's own, or the bundled ones; those that fail leave the network as it was. */
  load(weights?: OwnWeights): Promise<Model> {
    return this.#ask<Model>({ kind: 'load', ...(weights && { weights }) });
  }

  /** Makes `bitmap`, which is handed over, the picture of the passes that follow. */
  show(bitmap: ImageBitmap): Promise<void> {
    return this.#ask<void>({ kind: 'show', bitmap }, [bitmap]);
  }

  pass(settings: PassSettings): Promise<Pass> {
    return this.#ask<Pass>({ kind: 'pass', settings });
  }

  method(settings: MethodSettings): Promise<MethodResult> {
    return this.#ask<MethodResult>({ kind: 'method', settings });
  }

  /** The activations of the picture where scales end, first to last. */
  columns(pixels: Pixels): Promise<readonly ScaleColumns[]> {
    return this.#ask<readonly ScaleColumns[]>({ kind: 'columns', pixels });
  }

  /** Explains a frame, which is handed over, and so are pictures of an earlier one, whose memory is used again. */
  frame(bitmap: ImageBitmap, settings: LiveSettings, pictures?: LivePictures): Promise<LiveResult> {
    const kept = pictures && { overlay: pictures.overlay, lovi: pictures.lovi };
    return this.#ask<LiveResult>(
      { kind: 'frame', bitmap, settings, ...(kept && { pictures: kept }) },
      [bitmap, ...(kept ? [kept.overlay.buffer, kept.lovi.buffer] : [])],
    );
  }

  /** Ends the worker at once; what it was asked for fails with the reason. */
  close(reason: Error): void {
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  #ask<Result>(task: Task, transfer: Transferable[] = []): Promise<Result> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
      this.#worker.postMessage({ ...task, id } satisfies Request, transfer);
    });
  }
}
