/**
 * The network from the page's side: requests to the worker as promises, and what travels between the
 * two. Everything is plain data; large arrays are handed over, not copied.
 */

import type { Statistic } from 'fastcam';
import type { SaliencyMap } from 'fastcam/viz';

/** What the page knows of the network that is loaded. */
export interface Model {
  readonly name: string;
  /** The backend that computes: `relaxed`, `simd` or `js`. */
  readonly backend: string;
  readonly labels: readonly string[];
  /** [classes, C]: the classifier, so that any class has its map without asking the worker. */
  readonly classWeights: Float32Array;
}

/** What one forward pass leaves, before any normalisation. */
export interface Pass {
  readonly statistic: Statistic;
  /** The statistic at each scale, first to last, native resolution. */
  readonly rawMaps: readonly SaliencyMap[];
  /** [classes] */
  readonly logits: Float32Array;
  /** [h, w, C], the last stage's output. */
  readonly features: Float32Array;
  /** Its [h, w]. */
  readonly featureSize: readonly [number, number];
  readonly ms: { readonly preprocess: number; readonly network: number };
  /** Forward passes that the worker has run so far. */
  readonly passes: number;
}

/** A file of weights, or none: the bundled model. */
export interface WeightsFile {
  readonly name: string;
  readonly bytes: ArrayBuffer;
  readonly labels?: readonly string[];
}

export type Task =
  | { readonly kind: 'load'; readonly file?: WeightsFile }
  /** The picture of the passes that follow. */
  | { readonly kind: 'show'; readonly bitmap: ImageBitmap }
  | { readonly kind: 'pass'; readonly statistic: Statistic };

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

  /** Loads the weights of a file, or the bundled ones; a file that fails leaves the network as it was. */
  load(file?: WeightsFile): Promise<Model> {
    return this.#ask<Model>({ kind: 'load', ...(file && { file }) }, file ? [file.bytes] : []);
  }

  /** Makes `bitmap`, which is handed over, the picture of the passes that follow. */
  show(bitmap: ImageBitmap): Promise<void> {
    return this.#ask<void>({ kind: 'show', bitmap }, [bitmap]);
  }

  pass(statistic: Statistic): Promise<Pass> {
    return this.#ask<Pass>({ kind: 'pass', statistic });
  }

  #ask<Result>(task: Task, transfer: Transferable[] = []): Promise<Result> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
      this.#worker.postMessage({ ...task, id } satisfies Request, transfer);
    });
  }
}
