/** Files that are written under a temporary name beside the final one, and renamed when they are complete. */

import { existsSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FormatError, ShapeError } from '../errors.js';
import { systemReason } from './file-bytes.js';

/** The ending of this process's unfinished files, in all its threads. */
const PART = `.${process.pid}.part`;

/**
 * Writes a file whole or not at all. A target that is not a file, such as a device, is written directly.
 *
 * @throws {FormatError} naming the file and why it cannot be written
 */
export async function writeWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found && !found.isFile()) return attempt(path, () => writeFile(path, bytes));
  // A link stays a link.
  const target = found ? realpathSync(path) : path;
  const temporary = target + PART;
  try {
    await attempt(path, () => writeFile(temporary, bytes));
    await attempt(path, () => rename(temporary, target));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Removes the unfinished files of ended threads in a folder, and in the folders inside it. */
export function removeParts(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith(PART)) rmSync(join(folder, name), { force: true });
  }
}

export class WrittenFile {
  readonly path: string;
  bytes = 0;
  readonly #temporary: string;
  #handle: FileHandle | undefined;
  #isRenamed = false;

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /** @throws {FormatError} naming the file and why it cannot be written; so do the methods */
  static async create(path: string): Promise<WrittenFile> {
    const temporary = path + PART;
    const handle = await attempt(path, () => open(temporary, 'wx'));
    return new WrittenFile(path, temporary, handle);
  }

  async append(bytes: Uint8Array): Promise<void> {
    await attempt(this.path, () => this.#handle!.appendFile(bytes));
    this.bytes += bytes.length;
  }

  /** Writes bytes over earlier ones. */
  async writeAt(bytes: Uint8Array, position: number): Promise<void> {
    await attempt(this.path, async () => {
      await this.#handle!.write(bytes, 0, bytes.length, position);
    });
  }

  /** Waits until all bytes are on the disk. */
  async close(): Promise<void> {
    await attempt(this.path, () => this.#handle!.sync());
    await this.#handle!.close();
    this.#handle = undefined;
  }

  /** Gives the file its final name, in place of an older file. */
  async rename(): Promise<void> {
    await attempt(this.path, () => rename(this.#temporary, this.path));
    this.#isRenamed = true;
  }

  /** Removes the file if it was not renamed. */
  async discard(): Promise<void> {
    await this.#handle?.close();
    if (!this.#isRenamed) await rm(this.#temporary, { force: true });
  }
}

/**
 * Makes sure that no input is overwritten, also under another name.
 *
 * @throws {ShapeError} in the name of `operation`
 */
export function refuseOverwriting(
  operation: string,
  outputs: readonly string[],
  inputs: readonly string[],
): void {
  const taken = new Set(inputs.flatMap(identities));
  for (const output of outputs) {
    if (identities(output).some((identity) => taken.has(identity))) {
      throw new ShapeError(`${operation}: ${output} would overwrite an input: choose another file`);
    }
  }
}

/** The path, and the file system's identity of the file, which is the same for links. */
function identities(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? [resolve(path)] : [resolve(path), `${found.dev} ${found.ino}`];
}

async function attempt<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'its folder does not exist' : systemReason(error);
    throw new FormatError(`${path}: cannot be written: ${reason}`, { cause: error });
  }
}
