/**
 * A map as a TIFF of float32 values, written row by row, with the position on Earth of the picture that it belongs to
 * (GeoTIFF). Source: Adobe, TIFF 6.0, §2 and §8; BigTIFF is not needed: such a file has at most 4 GiB. OGC GeoTIFF 1.1
 * for the tags of the position.
 *
 * Strips are compressed by zlib while the next ones are computed; the directory is written at the end.
 */

import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { FormatError } from '../../errors.js';
import type { Size } from '../../image/picture.js';
import { type Directory, TAG } from '../pictures/tiff/directory.js';
import { COMPRESSION, FLOAT } from '../pictures/tiff/layout.js';
import { WrittenFile } from '../written-file.js';

const pack = promisify<Uint8Array, { level: number }, Buffer>(deflate);

/** Values of a strip: 1 MB. */
const STRIP_VALUES = 2 ** 18;
/** Positions in the file have 32 bits. */
const MOST_BYTES = 2 ** 32 - 2 ** 20;

const ASCII = 2;
const SHORT = 3;
const LONG = 4;
const DOUBLE = 12;
const TYPE_BYTES: Readonly<Record<number, number>> = {
  [ASCII]: 1,
  [SHORT]: 2,
  [LONG]: 4,
  [DOUBLE]: 8,
};

/** A tag of a TIFF directory. */
export interface Field {
  readonly tag: number;
  readonly type: number;
  readonly values: readonly number[];
}

export class MapTiff {
  readonly #file: WrittenFile;
  readonly #size: Size;
  readonly #position: readonly Field[];
  readonly #rowsPerStrip: number;
  readonly #strip: Float32Array;
  #filled = 0;
  #rows = 0;
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];

  private constructor(file: WrittenFile, size: Size, position: readonly Field[]) {
    this.#file = file;
    this.#size = size;
    this.#position = position;
    this.#rowsPerStrip = Math.max(1, Math.min(size.height, Math.floor(STRIP_VALUES / size.width)));
    this.#strip = new Float32Array(this.#rowsPerStrip * size.width);
  }

  /**
   * @param position tags of the position, for the size of the map
   * @throws {FormatError} naming the file and why it cannot be written; so do the methods
   */
  static async create(path: string, size: Size, position: readonly Field[]): Promise<MapTiff> {
    const file = await WrittenFile.create(path);
    const tiff = new MapTiff(file, size, position);
    // The position of the directory is not known yet: `end` writes it.
    await file.append(new Uint8Array(8));
    return tiff;
  }

  /** Adds a row below those before. @param row [width] */
  async add(row: Float32Array): Promise<void> {
    this.#strip.set(row, this.#filled);
    this.#filled += row.length;
    this.#rows++;
    if (this.#filled === this.#strip.length || this.#rows === this.#size.height)
      await this.#flush();
  }

  async #flush(): Promise<void> {
    const { buffer } = this.#strip;
    const packed = await pack(new Uint8Array(buffer, 0, 4 * this.#filled), { level: 1 });
    this.#offsets.push(this.#file.bytes);
    this.#lengths.push(packed.length);
    this.#filled = 0;
    if (this.#file.bytes + packed.length > MOST_BYTES) {
      throw new FormatError(`${this.#file.path}: the map is too large for a TIFF`);
    }
    await this.#file.append(packed);
  }

  /** Writes the directory, and gives the file its name. */
  async end(): Promise<void> {
    const file = this.#file;
    if (file.bytes % 2 === 1) await file.append(new Uint8Array(1));
    const at = file.bytes;
    await file.append(directoryBytes(this.#fields(), at));
    await file.writeAt(tiffHeader(at), 0);
    await file.close();
    await file.rename();
  }

  /** Removes the file, after a failure. */
  async discard(): Promise<void> {
    await this.#file.discard();
  }

  #fields(): Field[] {
    const { width, height } = this.#size;
    const one = (tag: number, type: number, ...values: number[]): Field => ({ tag, type, values });
    return [
      one(TAG.width, LONG, width),
      one(TAG.height, LONG, height),
      one(TAG.bits, SHORT, 32),
      one(TAG.compression, SHORT, COMPRESSION.deflate),
      // Zero is black.
      one(TAG.photometric, SHORT, 1),
      one(TAG.stripOffsets, LONG, ...this.#offsets),
      one(TAG.samples, SHORT, 1),
      one(TAG.rowsPerStrip, LONG, this.#rowsPerStrip),
      one(TAG.stripBytes, LONG, ...this.#lengths),
      one(TAG.sampleFormat, SHORT, FLOAT),
      ...this.#position,
    ].sort((a, b) => a.tag - b.tag);
  }
}

/** Little-endian, as the floats of all current machines. */
function tiffHeader(directory: number): Uint8Array {
  const header = Buffer.from('II*\0\0\0\0\0', 'latin1');
  header.writeUInt32LE(directory, 4);
  return header;
}

/** The directory, and after it the values that do not fit into it. @param at its position in the file */
function directoryBytes(fields: readonly Field[], at: number): Uint8Array {
  const head = Buffer.alloc(2 + 12 * fields.length + 4);
  head.writeUInt16LE(fields.length, 0);
  const values: Buffer[] = [];
  let end = at + head.length;
  for (const [i, field] of fields.entries()) {
    const entry = 2 + 12 * i;
    const bytes = valueBytes(field);
    head.writeUInt16LE(field.tag, entry);
    head.writeUInt16LE(field.type, entry + 2);
    head.writeUInt32LE(field.values.length, entry + 4);
    if (bytes.length <= 4) {
      bytes.copy(head, entry + 8);
      continue;
    }
    head.writeUInt32LE(end, entry + 8);
    values.push(bytes);
    end += bytes.length;
  }
  return Buffer.concat([head, ...values]);
}

/** An even number of bytes. */
function valueBytes({ type, values }: Field): Buffer {
  const bytes = Buffer.alloc(2 * Math.ceil((values.length * TYPE_BYTES[type]!) / 2));
  for (const [i, value] of values.entries()) {
    if (type === ASCII) bytes.writeUInt8(value, i);
    else if (type === SHORT) bytes.writeUInt16LE(value, 2 * i);
    else if (type === LONG) bytes.writeUInt32LE(value, 4 * i);
    else bytes.writeDoubleLE(value, 8 * i);
  }
  return bytes;
}

/** The most values of a tag of the position: files have a few dozen keys. */
const MOST_VALUES = 65_535;

/**
 * The tags that say where on Earth a picture is, for a map of the same place that has `across` × `down` pixels of the
 * picture in one of its own.
 */
export function positionOf(
  { values }: Pick<Directory, 'values'>,
  across: number,
  down: number,
): Field[] {
  const of = (
    tag: number,
    type: number,
    scaled = (value: number, _i: number) => value,
  ): Field[] => {
    const found = values(tag, MOST_VALUES);
    return found.length > 0 ? [{ tag, type, values: found.map(scaled) }] : [];
  };
  return [
    ...of(TAG.modelPixelScale, DOUBLE, (value, i) => value * ([across, down][i] ?? 1)),
    // Six numbers each: a pixel of the picture, and its place.
    ...of(TAG.modelTiepoint, DOUBLE, (value, i) => value / ([across, down][i % 6] ?? 1)),
    // A matrix of four by four, from pixels to places.
    ...of(TAG.modelTransformation, DOUBLE, (value, i) => value * ([across, down][i % 4] ?? 1)),
    ...of(TAG.geoKeyDirectory, SHORT),
    ...of(TAG.geoDoubleParams, DOUBLE),
    ...of(TAG.geoAsciiParams, ASCII),
  ];
}
