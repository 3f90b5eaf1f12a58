/** The inputs: the named files, and the pictures in folders; and the folder for the results of each. */

import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { FormatError } from '../errors.js';
import { systemReason } from './file-bytes.js';

export interface Input {
  /** The path as given, or the folder as given and the path inside it. */
  readonly path: string;
  /** Its name for results: the file name, or its path inside the given folder. */
  readonly name: string;
  /** Why it cannot be explained. */
  readonly failure?: FormatError;
}

/** Extensions of pictures, also of kinds that are not supported: their errors say what to do. */
const ENDINGS = [
  ...['png', 'jpg', 'jpeg', 'jpe', 'jfif', 'webp', 'avif', 'gif', 'bmp', 'dib', 'tif', 'tiff'],
  ...['heic', 'heif', 'jxl', 'jp2'],
];

/**
 * The files of all paths, in their order. A folder gives all pictures in it and in its folders, sorted by path.
 * Hidden folders, `node_modules`, `except` and links to folders are skipped.
 *
 * A folder that cannot be read or has no picture is one input, with the reason.
 *
 * @param except a folder whose pictures are not inputs: the folder of the results
 */
export async function findInputs(paths: readonly string[], except?: string): Promise<Input[]> {
  const found: Input[] = [];
  const skipped = except === undefined ? undefined : resolve(except);
  for (const path of paths) {
    // A missing file fails when its turn comes, and the others are done.
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
 * The folder for each input inside `out`: the input's name without its extension, with `-2`, `-3`, …
 * if that is taken. Names that differ only in case count as the same, because many file systems treat
 * them so. A folder that contains an input is skipped, so that no input is overwritten.
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
