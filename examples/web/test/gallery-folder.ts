/** Galleries to test: a few explained pictures as files of a folder, and index.html beside them. */

import { copyFileSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Explanation } from 'fastcam';
import { encodePng, explainFile, readPicture } from 'fastcam/node';
import { colorize, createPicture, overlay, type Picture } from 'fastcam/viz';
import {
  type GalleryEntry,
  type GalleryPage,
  galleryHtml,
} from '../../../dist/node/gallery/gallery.js';
import { fitInside, shrinkPicture } from '../../../dist/node/resample.js';

const SAMPLES = new URL('../../../samples/', import.meta.url).pathname;
const TILE = 240;

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
  const out = join(folder, path);
  const source = join(SAMPLES, sample);
  const { explanation } = await explainFile(source, { out });
  copyFileSync(source, join(out, sample));
  const picture = await readPicture(source);
  const kinds = ['picture', 'overlay', 'lovi', 'fastcam'];
  const strip = stripOf(tilesOf(picture, explanation));
  writeFileSync(join(out, 'thumbnails.png'), await encodePng(strip));
  return {
    title: path,
    width: picture.width,
    height: picture.height,
    thumbnails: {
      file: `${path}/thumbnails.png`,
      width: strip.width,
      height: strip.height,
      kinds,
    },
    pictures: {
      picture: `${path}/${sample}`,
      overlay: `${path}/overlay.png`,
      lovi: `${path}/lovi.png`,
      fastcam: `${path}/fastcam.png`,
    },
    top: explanation.top(5),
    target: explanation.top(1)[0]!,
  };
}

function tilesOf(picture: Picture, explanation: Explanation): Picture[] {
  const { fastcamMap } = explanation;
  const whole = [picture, overlay(picture, fastcamMap), explanation.lovi(), colorize(fastcamMap)];
  return whole.map((one) => shrinkPicture(one, fitInside(one, TILE)));
}

function stripOf(tiles: readonly Picture[]): Picture {
  const [{ width, height }] = tiles as [Picture];
  const strip = createPicture(tiles.length * width, height);
  for (const [i, tile] of tiles.entries()) {
    for (let y = 0; y < height; y++) {
      const row = tile.data.subarray(4 * width * y, 4 * width * (y + 1));
      strip.data.set(row, 4 * width * (tiles.length * y + i));
    }
  }
  return strip;
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
      thumbnails: { ...thumbnails, file: link(thumbnails.file, 'thumbnails.png') },
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
