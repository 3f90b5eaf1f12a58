/**
 * A picture as a pyramid of tiles that viewers load as they need them: Deep Zoom (DZI), which OpenSeadragon opens.
 *
 *   name.dzi                          size of the picture and of its tiles, XML
 *   name_files/LEVEL/COLUMN_ROW.jpg   level 0 is one pixel; each level has twice the sides of the one before
 *
 * Source: Microsoft, "Deep Zoom File Format Overview" (schema http://schemas.microsoft.com/deepzoom/2008).
 *
 * Rows are added from top to bottom. A row of tiles is written when it is full, and halved for the level above. So one
 * row of tiles for each level is in memory.
 */

import { join } from 'node:path';
import type { Picture, Size } from '../../image/picture.js';
import { FORMATS, type PictureFormat } from '../drawing/encode.js';
import { makeFolder } from '../folders.js';
import { writeWhole } from '../written-file.js';

/** Side of a tile, even. There is no overlap. */
const TILE = 512;
/** Tiles that may wait for their compression. */
const AT_ONCE = 8;

export class Pyramid {
  /** The file that viewers open. */
  readonly path: string;
  readonly #folder: string;
  readonly #size: Size;
  readonly #format: PictureFormat;
  readonly #levels: Level[] = [];
  readonly #packing: Promise<void>[] = [];

  private constructor(path: string, size: Size, format: PictureFormat) {
    this.path = path;
    this.#folder = path.replace(/\.dzi$/, '_files');
    this.#size = size;
    this.#format = format;
  }

  /**
   * @param path `….dzi`
   * @param size of the picture
   * @throws {FormatError} naming a file or folder and why it cannot be written; so do the methods
   */
  static async create(path: string, size: Size, format: PictureFormat): Promise<Pyramid> {
    const pyramid = new Pyramid(path, size, format);
    let { width, height } = size;
    const count = Math.ceil(Math.log2(Math.max(width, height))) + 1;
    for (let level = count - 1; level >= 0; level--) {
      await makeFolder(join(pyramid.#folder, String(level)));
      pyramid.#levels.push(new Level(level, width, height));
      width = Math.ceil(width / 2);
      height = Math.ceil(height / 2);
    }
    return pyramid;
  }

  /** Adds rows below those before. */
  async add(rows: Picture): Promise<void> {
    await this.#addTo(0, rows.data);
  }

  async #addTo(index: number, data: Picture['data']): Promise<void> {
    const level = this.#levels[index]!;
    const rowBytes = 4 * level.width;
    for (let at = 0; at < data.length; ) {
      const taken = level.take(data.subarray(at));
      at += taken * rowBytes;
      const full = level.full();
      if (!full) continue;
      await this.#writeTiles(level, full);
      if (index + 1 < this.#levels.length) await this.#addTo(index + 1, halved(full).data);
    }
  }

  /** Cuts a row of tiles. Tiles are copies, so that the row can be filled again. */
  async #writeTiles(level: Level, { data, width, height }: Picture): Promise<void> {
    const { ending, encode } = FORMATS[this.#format];
    const row = level.nextRow();
    for (let left = 0; left < width; left += TILE) {
      const tile = cut(data, width, left, Math.min(TILE, width - left), height);
      const name = `${left / TILE}_${row}.${ending}`;
      if (this.#packing.length === AT_ONCE) await this.#packing.shift();
      const packed = encode(tile).then((bytes) =>
        writeWhole(join(this.#folder, String(level.number), name), bytes),
      );
      this.#packing.push(packed);
      // A failure is thrown where it is awaited. Until then it must not be an unhandled rejection.
      packed.catch(() => {});
    }
  }

  /** Writes the file that viewers open, when all tiles are written. */
  async end(): Promise<void> {
    await Promise.all(this.#packing);
    const { width, height } = this.#size;
    const { ending } = FORMATS[this.#format];
    await writeWhole(
      this.path,
      `<?xml version="1.0" encoding="UTF-8"?>
<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" Format="${ending}" Overlap="0" TileSize="${TILE}">
  <Size Width="${width}" Height="${height}"/>
</Image>
`,
    );
  }

  /** Waits for the tiles that are being written, after a failure. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#packing);
  }
}

/** The rows of one level that are not written yet: at most a row of tiles. */
class Level {
  readonly number: number;
  readonly width: number;
  readonly #height: number;
  readonly #rows: Uint8Array;
  #filled = 0;
  #done = 0;
  #tileRow = 0;

  constructor(number: number, width: number, height: number) {
    this.number = number;
    this.width = width;
    this.#height = height;
    this.#rows = new Uint8Array(4 * width * Math.min(TILE, height));
  }

  /** Takes as many rows as there is room for. @returns their number */
  take(data: Picture['data']): number {
    const room = this.#room() - this.#filled;
    const rows = Math.min(room, data.length / (4 * this.width));
    this.#rows.set(data.subarray(0, 4 * this.width * rows), 4 * this.width * this.#filled);
    this.#filled += rows;
    return rows;
  }

  /** The row of tiles, if it is full. It is valid until rows are taken. */
  full(): Picture | undefined {
    if (this.#filled < this.#room()) return undefined;
    const height = this.#filled;
    this.#done += height;
    this.#filled = 0;
    return { data: this.#rows.subarray(0, 4 * this.width * height), width: this.width, height };
  }

  nextRow(): number {
    return this.#tileRow++;
  }

  #room(): number {
    return Math.min(TILE, this.#height - this.#done);
  }
}

function cut(
  data: Picture['data'],
  width: number,
  left: number,
  tileWidth: number,
  height: number,
): Picture {
  const out = new Uint8Array(4 * tileWidth * height);
  for (let y = 0; y < height; y++) {
    const from = 4 * (y * width + left);
    out.set(data.subarray(from, from + 4 * tileWidth), 4 * y * tileWidth);
  }
  return { data: out, width: tileWidth, height };
}

/** Half the sides, rounded up: the mean of two by two pixels. At an odd end, the last ones count twice. */
export function halved({ data, width, height }: Picture): Picture {
  const [W, H] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const out = new Uint8Array(4 * W * H);
  for (let y = 0; y < H; y++) {
    const upper = 8 * y * width;
    const lower = 2 * y + 1 < height ? upper + 4 * width : upper;
    for (let x = 0; x < W; x++) {
      const left = 8 * x;
      const right = 2 * x + 1 < width ? left + 4 : left;
      const o = 4 * (y * W + x);
      for (let c = 0; c < 4; c++) {
        const sum =
          data[upper + left + c]! +
          data[upper + right + c]! +
          data[lower + left + c]! +
          data[lower + right + c]!;
        out[o + c] = (sum + 2) >> 2;
      }
    }
  }
  return { data: out, width: W, height: H };
}
