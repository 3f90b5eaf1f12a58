/** One folder for each input, so that two inputs of the same name never overwrite each other. */

import { basename, dirname, extname, join, resolve } from 'node:path';

/**
 * The folder for each input inside `out`: the input's name without its ending, and `-2`, `-3`, …
 * where that is taken. Names that differ only in case count as the same, as many file systems have
 * it; a folder that holds an input is passed over, so that no input is ever overwritten.
 */
export function outputFolders(inputs: readonly string[], out: string): string[] {
  const taken = new Set(inputs.flatMap((input) => [key(input), key(dirname(input))]));
  return inputs.map((input) => {
    const stem = basename(input, extname(input)).replace(/[. ]+$/, '') || 'picture';
    let folder = join(out, stem);
    for (let copy = 2; taken.has(key(folder)); copy++) folder = join(out, `${stem}-${copy}`);
    taken.add(key(folder));
    return folder;
  });
}

function key(path: string): string {
  return resolve(path).normalize('NFC').toLowerCase();
}
