/** The pictures of a data set as inputs of a network, in memory. */

import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { inputOf } from '../../attribute.js';
import { overWhite } from '../../model/index.js';
import type { Examples } from '../../train/index.js';
import { type LabelledPicture, labelledPictures, spreadClasses } from '../labelled-pictures.js';
import type { Model } from '../model-file.js';
import { readPicture } from '../pictures/decode.js';

export interface DataOptions {
  /** Classes of the model that are used, evenly spread over all of them; default all. */
  readonly classes?: number;
  /** Pictures of each class for training, and for validation; default all. */
  readonly training?: number;
  readonly validation?: number;
}

export interface Sets {
  readonly training: readonly LabelledPicture[];
  readonly validation: readonly LabelledPicture[];
}

/** Folders of a data set, by their usual names. */
const FOLDERS = { training: 'train', validation: 'val' } as const;

/**
 * The pictures of a data set with the folders `train` and `val`, each with a folder for each class.
 *
 * @throws {FormatError} for a folder that is not so
 */
export async function findSets(path: string, { net }: Model, options: DataOptions): Promise<Sets> {
  const { labels } = net;
  const { classes = labels.length, training, validation } = options;
  const chosen = spreadClasses(labels, classes);
  const found = (folder: string, limit?: number) =>
    labelledPictures(join(path, folder), labels, {
      classes: chosen,
      ...(limit !== undefined && { limit }),
    });
  return {
    training: await found(FOLDERS.training, training),
    validation: await found(FOLDERS.validation, validation),
  };
}

/** Reads pictures, and fits each to the network's own size, stretched if it must be: [H, W, channels] each. */
export async function readInputs(
  pictures: readonly LabelledPicture[],
  { net }: Model,
  onPicture: (path: string) => void = () => {},
): Promise<Examples & { readonly inputs: readonly Float32Array[] }> {
  const inputs: Float32Array[] = [];
  for (const { path } of pictures) {
    onPicture(path);
    inputs.push(inputOf(net, overWhite(await readPicture(path)), { fit: 'stretch' }).input.data);
    await setImmediate();
  }
  return {
    ...{ inputs, length: inputs.length },
    read: (out, i) => out.set(inputs[i]!),
    target: (i) => pictures[i]!.target,
  };
}
