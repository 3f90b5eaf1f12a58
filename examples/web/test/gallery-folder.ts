/** Galleries to test: a few explained pictures as files of a folder, and index.html beside them. */

import { linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { explainFile } from 'fastcam/node';
import { kindsForGallery } from '../../../dist/node/drawing/picture-kinds.js';
import {
  type GalleryEntry,
  type GalleryPage,
  galleryHtml,
} from '../../../dist/node/gallery/gallery.js';
import { galleryEntry } from '../../../dist/node/gallery/write-gallery.js';

const SAMPLES = new URL('../../../samples/', import.meta.url).pathname;

/** A sample, and the path that the gallery knows it by. */
export interface Wanted {
  readonly sample: string;
  readonly path: string;
}

/** Explains the samples, each into a folder of its path inside `folder`. */
export function explainSamples(folder: string, wanted: readonly Wanted[]): Promise<GalleryEntry[]> {
  return Promise.all(wanted.map((one) => explainSample(folder, one)));
}

async function explainSample(folder: string, { sample, path }: Wanted): Promise<GalleryEntry> {
  const input = { name: path, bytes: readFileSync(join(SAMPLES, sample)) };
  const only = kindsForGallery([], 'gradcam++');
  const { report } = await explainFile(input, { out: join(folder, path), only });
  return galleryEntry(report, folder);
}

/** Entries by the thousand: each has files of its own, and probabilities that fall from the first to the last. */
export function multiply(
  folder: string,
  samples: readonly GalleryEntry[],
  count: number,
): GalleryEntry[] {
  mkdirSync(join(folder, 'many'));
  return Array.from({ length: count }, (_, i) => {
    const sample = samples[i % samples.length]!;
    const link = (file: string, name: string): string => {
      const path = `many/${i}-${name}`;
      linkSync(join(folder, file), join(folder, path));
      return path;
    };
    const { thumbnails, pictures, top } = sample;
    return {
      ...sample,
      title: `many/picture ${i + 1}.png`,
      thumbnails: { ...thumbnails, file: link(thumbnails.file, 'thumbnails.webp') },
      pictures: { ...pictures, overlay: link(pictures.overlay!, 'overlay.png') },
      top: top.map((one) => ({ ...one, probability: one.probability * (1 - i / count) })),
    };
  });
}

/** Writes the page, and gives its address on the disk. */
export function writeGallery(folder: string, page: Partial<GalleryPage>): string {
  const path = join(folder, 'index.html');
  writeFileSync(path, galleryHtml({ model: 'bundled', entries: [], failures: [], ...page }));
  return pathToFileURL(path).href;
}
