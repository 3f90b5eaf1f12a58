/** The code of each thread: its own model, and one picture or tensor file at a time. */

import { Tinypool } from 'tinypool';
import type { PictureRecord, PictureTask } from './evaluate/picture.js';
import type { DrawnFile, ExplainFileOptions } from './explain-file.js';
import { explainInput } from './explain-input.js';
import { type Model, type ModelOptions, openModel } from './model-file.js';
import type { FileBytes } from './read-ahead.js';
import type { Report } from './report.js';

/** What is sent to a thread. Plain data. */
export interface PoolTask {
  readonly input: string | FileBytes;
  readonly options: Omit<ExplainFileOptions, 'model' | 'onProgress' | 'now' | 'signal'>;
}

/** The answer. Errors are sent as data, because threads do not keep their classes. */
export type PoolAnswer<T> =
  | { readonly results: T }
  | {
      readonly failure: {
        readonly name: string;
        readonly message: string;
        readonly stack?: string;
      };
    };

export interface PoolResult {
  readonly report: Report;
  /** The pictures that `only` asks for, if there is no `out`. */
  readonly pictures: readonly DrawnFile[];
}

let model: Promise<Model> | undefined;

export default async function answer({
  input,
  options,
}: PoolTask): Promise<PoolAnswer<PoolResult[]>> {
  return inData(async () => {
    const explained = await explainInput(input, { ...options, model: await ownModel() });
    return explained.map(({ report, pictures }) => ({ report, pictures }));
  });
}

/** Loads the model before the first picture. */
export function ready(): Promise<PoolAnswer<PoolResult[]>> {
  return inData(async () => {
    await ownModel();
    return [];
  });
}

/** Measures the maps of a picture. Few programs do, so this is loaded on demand. */
export async function evaluate(task: PictureTask): Promise<PoolAnswer<PictureRecord>> {
  return inData(async () => {
    const { evaluatePicture } = await import('./evaluate/picture.js');
    return evaluatePicture(await ownModel(), task);
  });
}

function ownModel(): Promise<Model> {
  model ??= openModel(Tinypool.workerData as ModelOptions);
  return model;
}

async function inData<T>(action: () => Promise<T>): Promise<PoolAnswer<T>> {
  try {
    return { results: await action() };
  } catch (error) {
    if (!(error instanceof Error)) return { failure: { name: 'Error', message: String(error) } };
    const { name, message, stack } = error;
    return { failure: { name, message, ...(stack !== undefined && { stack }) } };
  }
}
