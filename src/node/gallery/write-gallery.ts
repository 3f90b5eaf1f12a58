/** Reports of explained pictures → index.html beside the results. */

import { basename, extname, join, relative } from 'node:path';
import type { CamMethod } from '../../methods/index.js';
import { thumbnailKinds } from '../drawing/picture-kinds.js';
import { thumbnailsSize } from '../drawing/pictures.js';
import { makeFolder } from '../folders.js';
import type { Report } from '../report.js';
import { writeWhole } from '../written-file.js';
import { galleryHtml } from './gallery.js';
import { type GalleryEntry, type GalleryFailure, KINDS } from './gallery-page.js';

/** index.html beside the results of many pictures. */
export class Gallery {
  readonly #out: string;
  readonly #model: string;
  readonly #entries: GalleryEntry[] = [];
  readonly #failures: GalleryFailure[] = [];

  /** @param out the folder of all results */
  constructor(out: string, model: string) {
    this.#out = out;
    this.#model = model;
  }

  /** @param report of a picture that was drawn as `kindsForGallery` says */
  add(report: Report): void {
    this.#entries.push(galleryEntry(report, this.#out));
  }

  addFailure(title: string, reason: string): void {
    this.#failures.push({ title, reason });
  }

  /** @returns the path of index.html. @throws {FormatError} if it cannot be written */
  async write(): Promise<string> {
    const path = join(this.#out, 'index.html');
    await makeFolder(this.#out);
    const page = { model: this.#model, entries: this.#entries, failures: this.#failures };
    await writeWhole(path, galleryHtml(page));
    return path;
  }
}

/** The part of a report that a gallery keeps; it is small, because there may be thousands. */
export function galleryEntry(report: Report, out: string): GalleryEntry {
  const { input, drawn, files, options, top, target } = report;
  const named = new Map(files.map((file) => [basename(file, extname(file)), relative(out, file)]));
  const kinds = thumbnailKinds({ cam: options['cam'] as CamMethod | 'none' });
  const item = input.item === undefined ? '' : ` [${input.item}]`;
  return {
    title: `${input.path}${item}`,
    width: input.width,
    height: input.height,
    thumbnails: { file: named.get('thumbnails')!, ...thumbnailsSize(drawn, kinds.length), kinds },
    pictures: Object.fromEntries(
      KINDS.flatMap((kind) => (named.has(kind) ? [[kind, named.get(kind)!]] : [])),
    ),
    top,
    ...(target && { target }),
  };
}
