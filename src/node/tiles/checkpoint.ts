/**
 * What is needed to continue an interrupted run, in a folder beside its results:
 *
 *   state        one line of JSON: what identifies the run, and the lengths of its arrays; then their bytes
 *   features     the features of the strips that are done, float32
 *
 * Numbers are in the order of the machine's bytes.
 */

import { closeSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from '../../errors.js';
import type { FeatureStore, TiledState } from '../../tiles/index.js';
import { systemReason } from '../file-bytes.js';
import { makeFolder } from '../folders.js';
import { openFile } from '../open-file.js';
import { WrittenFile } from '../written-file.js';

/** The longest first line. */
const MOST_HEADER_BYTES = 1 << 20;

interface Header {
  /** What identifies the run. */
  readonly run: string;
  readonly strips: number;
  readonly features: number;
  /** Length of each array, and the bytes of an element. */
  readonly arrays: readonly (readonly [length: number, bytes: number])[];
}

export class Checkpoint {
  readonly #folder: string;
  readonly #run: string;
  #features: FeatureFile | undefined;

  private constructor(folder: string, run: string) {
    this.#folder = folder;
    this.#run = run;
  }

  /**
   * @param folder is created if necessary
   * @param run says what is computed of what: a state of another run is not used
   * @throws {FormatError} naming a file or folder and why it cannot be written; so do the methods
   */
  static async open(folder: string, run: string): Promise<Checkpoint> {
    await makeFolder(folder);
    return new Checkpoint(folder, run);
  }

  /** The state of an interrupted run; `undefined` if there is none, or of another run, or damaged. */
  async read(): Promise<TiledState | undefined> {
    const state = await this.#read();
    this.features.cutTo(state?.features ?? 0);
    return state;
  }

  async #read(): Promise<TiledState | undefined> {
    const path = join(this.#folder, 'state');
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
    const file = await openFile(path, 'a state');
    try {
      const start = Buffer.from(file.read(0, Math.min(MOST_HEADER_BYTES, file.length)));
      const end = start.indexOf('\n');
      const header = headerOf(start.toString('utf8', 0, Math.max(end, 0)));
      if (header?.run !== this.#run) return undefined;
      const { strips, features, arrays: lengths } = header;
      const bytes = lengths.reduce((sum, [length, size]) => sum + length * size, end + 1);
      if (bytes !== file.length || this.features.values < features) return undefined;
      let at = end + 1;
      const arrays = lengths.map(([length, size]) => {
        const own = Uint8Array.from(file.read(at, at + length * size)).buffer;
        at += length * size;
        return size === 8 ? new Float64Array(own) : new Float32Array(own);
      });
      return { strips, features, arrays };
    } finally {
      file.close();
    }
  }

  async write({ strips, features, arrays }: TiledState): Promise<void> {
    const lengths = arrays.map((array) => [array.length, array.BYTES_PER_ELEMENT] as const);
    const header: Header = { run: this.#run, strips, features, arrays: lengths };
    const path = join(this.#folder, 'state');
    const file = await WrittenFile.create(path);
    try {
      await file.append(Buffer.from(`${JSON.stringify(header)}\n`));
      for (const { buffer, byteOffset, byteLength } of arrays) {
        await file.append(new Uint8Array(buffer, byteOffset, byteLength));
      }
      await file.close();
      await file.rename();
    } finally {
      await file.discard();
    }
  }

  /** The features, in a file. */
  get features(): FeatureFile {
    this.#features ??= new FeatureFile(join(this.#folder, 'features'));
    return this.#features;
  }

  close(): void {
    this.#features?.close();
    this.#features = undefined;
  }

  /** Removes the folder: the run is complete. */
  async remove(): Promise<void> {
    this.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** @returns undefined for anything but a header */
function headerOf(text: string): Header | undefined {
  let value: Partial<Header> | undefined;
  try {
    value = JSON.parse(text) as Partial<Header>;
  } catch {
    return undefined;
  }
  const isCount = (count: unknown): boolean =>
    Number.isSafeInteger(count) && (count as number) >= 0;
  const { run, strips, features, arrays } = Object(value) as Partial<Header>;
  const isHeader =
    typeof run === 'string' &&
    isCount(strips) &&
    isCount(features) &&
    Array.isArray(arrays) &&
    arrays.every((one) => Array.isArray(one) && isCount(one[0]) && [4, 8].includes(one[1]));
  return isHeader ? (value as Header) : undefined;
}

/** Features of a picture that do not fit in memory. */
class FeatureFile implements FeatureStore {
  readonly #path: string;
  readonly #file: number;
  #bytes: number;

  /** Opens the file, or makes one. */
  constructor(path: string) {
    this.#path = path;
    const exists = statSync(path, { throwIfNoEntry: false })?.isFile();
    this.#file = this.#attempt(() => openSync(path, exists ? 'r+' : 'wx+'));
    this.#bytes = exists ? statSync(path).size : 0;
  }

  /** Complete values in the file. */
  get values(): number {
    return Math.floor(this.#bytes / 4);
  }

  /** Drops the values after the first `values`. */
  cutTo(values: number): void {
    this.#attempt(() => ftruncateSync(this.#file, 4 * values));
    this.#bytes = 4 * values;
  }

  append({ buffer, byteOffset, byteLength }: Float32Array): void {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    for (let done = 0; done < byteLength; ) {
      const left = byteLength - done;
      const at = this.#bytes + done;
      done += this.#attempt(() => writeSync(this.#file, bytes, done, left, at));
    }
    this.#bytes += byteLength;
  }

  read(out: Float32Array, begin: number): void {
    const bytes = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
    for (let done = 0; done < bytes.length; ) {
      const at = 4 * begin + done;
      const read = this.#attempt(() => readSync(this.#file, bytes, done, bytes.length - done, at));
      if (read === 0) throw new FormatError(`${this.#path}: became shorter while it was used`);
      done += read;
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  #attempt<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw new FormatError(`${this.#path}: ${systemReason(error)}`, { cause: error });
    }
  }
}
