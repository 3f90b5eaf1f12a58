/**
 * The files of the package. Each URL is written out, so that a bundler that follows
 * `new URL('…', import.meta.url)` copies that file, and no other.
 *
 * No file is searched for before it is needed. A single-file bundle does not contain these files, and a CommonJS
 * bundle has no `import.meta.url`; code that needs no file must work in both. docs/embedding.md says how to copy
 * the files.
 */

import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FormatError } from '../errors.js';

/** The name of the bundled model. */
export const BUNDLED = 'bundled';

/** Path of the bundled model. @throws {FormatError} if the file is not there */
export function bundledWeights(): string {
  const url = () => new URL('../../models/tiny-resnet50.safetensors', import.meta.url);
  return pathOf('tiny-resnet50.safetensors', url);
}

/** Path of the names of ImageNet's 1000 classes. @throws {FormatError} if the file is not there */
export function imagenetLabels(): string {
  const url = () => new URL('../../models/imagenet-1k-labels.json', import.meta.url);
  return pathOf('imagenet-1k-labels.json', url);
}

/** Where the package or a bundler has put the file; otherwise beside the bundle. */
function pathOf(name: string, url: () => URL): string {
  // CommonJS bundles have none.
  const own: string | undefined = import.meta.url;
  if (own !== undefined) {
    const path = fileURLToPath(url());
    const beside = join(dirname(fileURLToPath(own)), basename(path));
    const found = [path, beside].find((one) => existsSync(one));
    if (found !== undefined) return found;
  }
  throw new FormatError(
    `${name}: is not in this bundle: copy it from fastcam/models into the bundle's folder, or give its path (docs/embedding.md)`,
  );
}
