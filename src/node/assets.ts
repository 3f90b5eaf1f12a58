/** The files that come with the package. */

import { fileURLToPath } from 'node:url';

/** The name that the bundled model goes by. */
export const BUNDLED = 'bundled';
export const BUNDLED_WEIGHTS: string = asset('tiny-resnet50.safetensors');
export const BUNDLED_LABELS: string = asset('tiny-resnet50-labels.json');
export const IMAGENET_LABELS: string = asset('imagenet-1k-labels.json');

/** From `src` and from `dist` alike. */
function asset(name: string): string {
  return fileURLToPath(new URL(`../../models/${name}`, import.meta.url));
}
