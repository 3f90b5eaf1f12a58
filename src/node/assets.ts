/**
 * The files that come with the package. Each URL is written out: a bundler that follows
 * `new URL('…', import.meta.url)` then takes that file along, and no other.
 *
 * Nothing is looked for before it is needed. A bundle of one file leaves these files behind, and one in CommonJS has
 * no `import.meta.url`; all that needs no file must work in both. docs/embedding.md tells how to take the files along.
 */

import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FormatError } from '../errors.js';

/** The name that the bundled model goes by. */
export const BUNDLED = 'bundled';

/** Path of the bundled model. @throws {FormatError} where the file is not there */
export function bundledWeights(): string {
  const url = () => new URL('../../models/tiny-resnet50.safetensors', import.meta.url);
  return pathOf('tiny-resnet50.safetensors', url);
}

/** Path of the names of ImageNet's 1000 classes. @throws {FormatError} where the file is not there */
export function imagenetLabels(): string {
  const url = () => new URL('../../models/imagenet-1k-labels.json', import.meta.url);
  return pathOf('imagenet-1k-labels.json', url);
}

/** Where the package or a bundler has put the file; else beside the bundle. */
function pathOf(name: string, url: () => URL): string {
  // CommonJS that a bundler makes has none.
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
