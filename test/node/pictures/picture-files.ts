/** Picture files made by hand, byte by byte, for the tests of the decoders. */

import { deflateSync } from 'node:zlib';

type Bytes = readonly number[] | Uint8Array;

function concat(...parts: Bytes[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function ascii(text: string): number[] {
  return [...text].map((c) => c.charCodeAt(0));
}

function bigEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** (bytes - 1 - i)) & 255);
}

function littleEndian(value: number, bytes: number): number[] {
  return bigEndian(value, bytes).reverse();
}

// ---- PNG

/** CRC-32 as PNG wants it; node:zlib has it only from Node 20.15 on. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

export function pngChunk(type: string, data: Bytes): Uint8Array {
  const body = concat(ascii(type), data);
  return concat(bigEndian(data.length, 4), body, bigEndian(crc32(body), 4));
}

export const PNG_COLOR = { grey: 0, rgb: 2, palette: 3, greyAlpha: 4, rgba: 6 };

export interface PngOptions {
  depth: number;
  color: number;
  /** The packed bytes of each row, without the filter byte. */
  rows: Bytes[];
  chunks?: Uint8Array[];
  interlaced?: boolean;
  /** The filter's number of each row; default 0, none. */
  filter?: number;
}

/** A PNG of one IDAT. */
export function png(width: number, height: number, options: PngOptions): Uint8Array {
  const header = [...bigEndian(width, 4), ...bigEndian(height, 4), options.depth, options.color];
  return concat(
    [0x89, ...ascii('PNG\r\n\x1a\n')],
    pngChunk('IHDR', [...header, 0, 0, options.interlaced ? 1 : 0]),
    ...(options.chunks ?? []),
    pngChunk(
      'IDAT',
      deflateSync(concat(...options.rows.map((row) => concat([options.filter ?? 0], row)))),
    ),
    pngChunk('IEND', []),
  );
}

// ---- EXIF and TIFF

/** Types: 1 bytes, 2 characters, 3 numbers of two bytes, 4 of four. */
export type TiffEntry = [tag: number, type: 1 | 2 | 3 | 4, ...values: number[]];

/** A TIFF file of one directory; `pixels` are at `TIFF_PIXELS_AT`. */
export function tiff(
  entries: TiffEntry[],
  pixels: Bytes = [],
  order: 'II' | 'MM' = 'II',
): Uint8Array {
  const number = order === 'II' ? littleEndian : bigEndian;
  const directoryAt = TIFF_PIXELS_AT + pixels.length;
  const extraAt = directoryAt + 2 + 12 * entries.length + 4;
  const extra: number[] = [];
  const fields = entries.flatMap(([tag, type, ...values]) => {
    const size = { 1: 1, 2: 1, 3: 2, 4: 4 }[type];
    const bytes = values.flatMap((value) => number(value, size));
    const head = [...number(tag, 2), ...number(type, 2), ...number(values.length, 4)];
    if (bytes.length <= 4) return [...head, ...bytes, ...new Array(4 - bytes.length).fill(0)];
    const at = extraAt + extra.length;
    extra.push(...bytes);
    return [...head, ...number(at, 4)];
  });
  return concat(
    ascii(order),
    number(42, 2),
    number(directoryAt, 4),
    pixels,
    number(entries.length, 2),
    fields,
    number(0, 4),
    extra,
  );
}

export const TIFF_PIXELS_AT = 8;

/** The entries of an uncompressed picture in one strip. */
export function tiffEntries(
  width: number,
  height: number,
  photometric: number,
  bits: number[],
  stripBytes: number,
): TiffEntry[] {
  return [
    [256, 4, width],
    [257, 4, height],
    [258, 3, ...bits],
    [259, 3, 1],
    [262, 3, photometric],
    [273, 4, TIFF_PIXELS_AT],
    [277, 3, bits.length],
    [278, 4, height],
    [279, 4, stripBytes],
  ];
}

export function exif(orientation: number, order: 'II' | 'MM' = 'II'): Uint8Array {
  return tiff([[274, 3, orientation]], [], order);
}

// ---- JPEG

export interface JpegOptions {
  /** Component identifiers: 1, 2, 3, … unless given. */
  ids?: number[];
  /** The transform byte of an Adobe segment; none is written when absent. */
  adobe?: number;
  exif?: Uint8Array;
  sof?: number;
  bits?: number;
  /** What the header claims, in place of the true size. */
  claimed?: [width: number, height: number];
}

/**
 * A baseline JPEG of flat 8×8 blocks: only the DC coefficient of each is coded, so that the decoded
 * samples are the ones given, to a rounding. `blocks[row][column]` holds a block's channels.
 */
export function jpeg(blocks: number[][][], options: JpegOptions = {}): Uint8Array {
  const channels = blocks[0]![0]!.length;
  const ids = options.ids ?? Array.from({ length: channels }, (_, c) => c + 1);
  const [width, height] = options.claimed ?? [8 * blocks[0]!.length, 8 * blocks.length];
  const segment = (marker: number, data: Bytes): Uint8Array =>
    concat([0xff, marker], bigEndian(data.length + 2, 2), data);
  const adobe =
    options.adobe === undefined
      ? []
      : [segment(0xee, [...ascii('Adobe'), 0, 100, 0, 0, 0, 0, options.adobe])];
  const app1 = options.exif ? [segment(0xe1, [...ascii('Exif\0\0'), ...options.exif])] : [];
  const components = ids.flatMap((id) => [id, 0x11, 0]);
  // DC: categories 0…11 in codes of 4 bits. AC: end of block in 1 bit.
  const dcTable = [
    0,
    0,
    0,
    0,
    12,
    ...new Array(12).fill(0),
    ...Array.from({ length: 12 }, (_, i) => i),
  ];
  const acTable = [0x10, 1, ...new Array(15).fill(0), 0];
  return concat(
    [0xff, 0xd8],
    ...app1,
    ...adobe,
    segment(0xdb, [0, ...new Array(64).fill(1)]),
    segment(options.sof ?? 0xc0, [
      options.bits ?? 8,
      ...bigEndian(height, 2),
      ...bigEndian(width, 2),
      channels,
      ...components,
    ]),
    segment(0xc4, dcTable),
    segment(0xc4, acTable),
    segment(0xda, [channels, ...ids.flatMap((id) => [id, 0]), 0, 63, 0]),
    entropyCoded(blocks, channels),
    [0xff, 0xd9],
  );
}

function entropyCoded(blocks: number[][][], channels: number): Uint8Array {
  let bits = '';
  const before = new Array<number>(channels).fill(0);
  for (const block of blocks.flat()) {
    for (let c = 0; c < channels; c++) {
      const dc = 8 * (block[c]! - 128);
      const difference = dc - before[c]!;
      before[c] = dc;
      const category = difference === 0 ? 0 : Math.floor(Math.log2(Math.abs(difference))) + 1;
      const value = difference > 0 ? difference : difference + 2 ** category - 1;
      bits += category.toString(2).padStart(4, '0');
      if (category > 0) bits += value.toString(2).padStart(category, '0');
      bits += '0';
    }
  }
  bits = bits.padEnd(8 * Math.ceil(bits.length / 8), '1');
  const bytes = bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2));
  // A 255 in the data is followed by a zero, lest it look like a marker.
  return Uint8Array.from(bytes.flatMap((byte) => (byte === 255 ? [255, 0] : [byte])));
}

// ---- BMP

export interface BmpOptions {
  depth: number;
  /** Packed rows in file order, each already padded to 4 bytes. */
  rows: Bytes[];
  palette?: [red: number, green: number, blue: number][];
  masks?: [red: number, green: number, blue: number];
  /** Header fields beyond the first 40 bytes: the masks of BITMAPV2INFOHEADER and later. */
  headerRest?: Bytes;
  compression?: number;
  /** Unused bytes between the tables and the pixels. */
  gap?: number;
  claimedHeight?: number;
}

export function bmp(width: number, height: number, options: BmpOptions): Uint8Array {
  const palette = (options.palette ?? []).flatMap(([r, g, b]) => [b, g, r, 0]);
  const masks = (options.masks ?? []).flatMap((mask) => littleEndian(mask, 4));
  const pixels = concat(...options.rows);
  const rest = options.headerRest ?? [];
  const pixelsAt = 14 + 40 + rest.length + masks.length + palette.length + (options.gap ?? 0);
  return concat(
    ascii('BM'),
    littleEndian(pixelsAt + pixels.length, 4),
    [0, 0, 0, 0],
    littleEndian(pixelsAt, 4),
    littleEndian(40 + rest.length, 4),
    littleEndian(width, 4),
    littleEndian((options.claimedHeight ?? height) >>> 0, 4),
    littleEndian(1, 2),
    littleEndian(options.depth, 2),
    littleEndian(options.compression ?? (options.masks ? 3 : 0), 4),
    littleEndian(pixels.length, 4),
    new Array(8).fill(0),
    littleEndian(options.palette?.length ?? 0, 4),
    [0, 0, 0, 0],
    rest,
    masks,
    palette,
    new Array(options.gap ?? 0).fill(0xaa),
    pixels,
  );
}

/** The first header of OS/2: sizes of 16 bits, colors of 3 bytes. */
export function os2Bmp(width: number, height: number, options: BmpOptions): Uint8Array {
  const palette = (options.palette ?? []).flatMap(([r, g, b]) => [b, g, r]);
  const pixelsAt = 14 + 12 + palette.length;
  return concat(
    ascii('BM'),
    [0, 0, 0, 0, 0, 0, 0, 0],
    littleEndian(pixelsAt, 4),
    littleEndian(12, 4),
    [width, height, 1, options.depth].flatMap((value) => littleEndian(value, 2)),
    palette,
    ...options.rows,
  );
}

// ---- GIF

/** A GIF of one frame with a palette of four colors. LZW codes stay 3 bits wide: clear before each. */
export function gif(
  width: number,
  height: number,
  palette: [number, number, number][],
  indices: number[],
  frame: [x: number, y: number, width: number, height: number] = [0, 0, width, height],
  options: { codes?: number[]; colorBits?: number } = {},
): Uint8Array {
  const CLEAR = 4;
  const END = 5;
  const codes = options.codes ?? [...indices.flatMap((index) => [CLEAR, index]), END];
  const bits = codes.map((code) => code.toString(2).padStart(3, '0')).reverse();
  const joined = bits.join('');
  const padded = joined.padStart(8 * Math.ceil(joined.length / 8), '0');
  const data = padded
    .match(/.{8}/g)!
    .map((byte) => Number.parseInt(byte, 2))
    .reverse();
  return concat(
    ascii('GIF89a'),
    littleEndian(width, 2),
    littleEndian(height, 2),
    [0x81, 0, 0],
    palette.flat(),
    // A comment, to be skipped on the way to the frame.
    [0x21, 0xfe, 2, ...ascii('hi'), 0],
    [0x2c],
    frame.flatMap((value) => littleEndian(value, 2)),
    [0, options.colorBits ?? 2, data.length],
    data,
    [0, 0x3b],
  );
}
