/** What is to be explained: files as they are named, and the pictures in folders; and where each has its results. */

import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { FormatError } from '../errors.js';
import { systemReason } from './file-bytes.js';

export interface Input {
  /** As given, or that of a folder with what follows in it. */
  readonly path: string;
  /** What its results are called inside the folder for all: its name, or its path inside the folder given. */
  readonly name: string;
  /** Why there is nothing to explain. */
  readonly failure?: FormatError;
}

/** Endings of pictures, those too that are refused with what to do. */
const ENDINGS = [
  ...['png', 'jpg', 'jpeg', 'jpe', 'jfif', 'webp', 'avif', 'gif', 'bmp', 'dib', 'tif', 'tiff'],
  ...['heic', 'heif', 'jxl', 'jp2'],
];

/**
 * The files of all paths, in their order; of a folder all pictures inside it and the folders in that, sorted by path.
 * Hidden folders, `node_modules` and `except` are passed over, links to folders too.
 *
 * A folder that cannot be read or has no picture is one input, which says so.
 *
 * @param except a folder whose pictures are no input: that of the results
 */
export async function findInputs(paths: readonly string[], except?: string): Promise<Input[]> {
  const found: Input[] = [];
  const skipped = except === undefined ? undefined : resolve(except);
  for (const path of paths) {
    // What is not there fails in its turn, and the rest is done.
    const isFolder = await stat(path).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
    if (isFolder) found.push(...(await picturesIn(path, skipped)));
    else found.push({ path, name: basename(path) });
  }
  return found;
}

async function picturesIn(folder: string, skipped: string | undefined): Promise<Input[]> {
  const found: string[] = [];
  const walk = async (inner: string): Promise<void> => {
    for (const entry of await readdir(inner, { withFileTypes: true })) {
      const path = join(inner, entry.name);
      if (entry.isDirectory()) {
        const isOwn = !entry.name.startsWith('.') && entry.name !== 'node_modules';
        if (isOwn && resolve(path) !== skipped) await walk(path);
      } else if (isPicture(entry.name)) {
        found.push(path);
      }
    }
  };
  const nothing = (reason: string): Input[] => {
    const failure = new FormatError(`${folder}: ${reason}`);
    return [{ path: folder, name: basename(folder), failure }];
  };
  try {
    await walk(folder);
  } catch (error) {
    return nothing(`cannot be read: ${systemReason(error)}`);
  }
  if (found.length === 0) return nothing('a folder without pictures (png, jpg, webp …)');
  const { compare } = new Intl.Collator('en', { numeric: true });
  return found.sort(compare).map((path) => ({ path, name: relative(folder, path) }));
}

function isPicture(name: string): boolean {
  return !name.startsWith('.') && ENDINGS.includes(extname(name).slice(1).toLowerCase());
}

/**
 * The folder for each input inside `out`: the input's name without its ending, and `-2`, `-3`, …
 * where that is taken. Names that differ only in case count as the same, as many file systems have
 * it; a folder that holds an input is passed over, so that no input is ever overwritten.
 */
export function outputFolders(inputs: readonly Input[], out: string): string[] {
  const taken = new Set(inputs.flatMap(({ path }) => [key(path), key(dirname(path))]));
  return inputs.map(({ name }) => {
    const stem = basename(name, extname(name)).replace(/[. ]+$/, '') || 'picture';
    const inner = join(out, dirname(name));
    let folder = join(inner, stem);
    for (let copy = 2; taken.has(key(folder)); copy++) folder = join(inner, `${stem}-${copy}`);
    taken.add(key(folder));
    return folder;
  });
}

function key(path: string): string {
  return resolve(path).normalize('NFC').toLowerCase();
}
