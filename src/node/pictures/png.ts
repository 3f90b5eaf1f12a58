/**
 * PNG: chunks, zlib, filters, samples → RGBA. Source: W3C PNG, 3rd edition, §5, §7–9, §11.
 *
 * Our own decoder. It takes half the time of pngjs, which fills missing rows with whatever its memory holds, so
 * that a second pass of inflating was needed. jSquash's codec is as fast, but never frees the
 * memory of its largest picture and gives no reason when it refuses one.
 */

import { FormatError } from '../../errors.js';
import type { DecodedPicture, PictureFormat } from './format.js';
import { checkSize, type PictureSize, textAt, viewOf } from './header.js';
import { inflateAtMost } from './inflate.js';
import { checkChunk, type PngChunk, pngChunks } from './png-chunks.js';
import { orientationOfPng } from './png-exif.js';
import { unfilter } from './png-filters.js';

/** Color types: samples of a pixel, and the bits that a sample may have. */
const COLOR_TYPES: Readonly<Record<number, { samples: number; depths: readonly number[] }>> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
};
const PALETTE = 3;

/** Adam7's passes: first column and row, steps across and down. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
const ONE_PASS = [[0, 0, 1, 1]] as const;

export const PNG: PictureFormat<Header> = {
  name: 'PNG',
  matches: (bytes) => textAt(bytes, 0, 8) === '\x89PNG\r\n\x1a\n',
  readHeader,
  decode: decodePng,
  orientationOf: orientationOfPng,
  forSharp: () => undefined,
};

interface Header extends PictureSize {
  readonly depth: number;
  readonly colorType: number;
  readonly samples: number;
  readonly interlaced: boolean;
}

function readHeader(bytes: Uint8Array): Header {
  const [first] = pngChunks(bytes);
  if (first === undefined) throw new FormatError('truncated: a PNG without a header');
  if (first.type !== 'IHDR')
    throw new FormatError(`its first PNG chunk is ${first.type}, not IHDR`);
  checkChunk(first);
  const view = viewOf(first.data);
  const width = view.getUint32(0);
  const height = view.getUint32(4);
  checkSize(width, height);
  const [depth, colorType, compression, filters, interlace] = first.data.subarray(8);
  const kind = COLOR_TYPES[colorType!];
  if (!kind?.depths.includes(depth!)) {
    throw new FormatError(`damaged: a PNG of color type ${colorType} and ${depth} bits`);
  }
  if (compression !== 0 || filters !== 0 || interlace! > 1) {
    throw new FormatError('damaged: a PNG with an unknown compression, filter or interlace method');
  }
  const { samples } = kind;
  return {
    width,
    height,
    depth: depth!,
    colorType: colorType!,
    samples,
    interlaced: interlace === 1,
  };
}

async function decodePng(bytes: Uint8Array, header: Header): Promise<DecodedPicture> {
  const chunks = pngChunks(bytes);
  const palette = small(chunks, 'PLTE');
  const transparency = small(chunks, 'tRNS');
  const data = chunks.filter(({ type }) => type === 'IDAT').map((chunk) => chunk.data);
  if (header.colorType === PALETTE && palette === undefined) {
    throw new FormatError('truncated or damaged: a PNG without its palette');
  }
  const { width, height } = header;
  const passes = passesOf(header);
  const expected = passes.reduce((sum, { rows, rowBytes }) => sum + rows * (1 + rowBytes), 0);
  const rows = inflateAtMost(data.length === 1 ? data[0]! : Buffer.concat(data), expected);
  if (rows.length < expected) {
    throw new FormatError(`truncated: PNG pixels take ${expected} bytes, ${rows.length} are there`);
  }
  const out = new Uint8Array(4 * width * height);
  const write = rowWriter(header, palette, transparency);
  const { samples, depth } = header;
  const pixelBytes = Math.ceil((samples * depth) / 8);
  let at = 0;
  for (const pass of passes) {
    for (let y = 0; y < pass.rows; y++, at += 1 + pass.rowBytes) {
      const isFirst = y === 0;
      unfilter(rows, at, pass.rowBytes, pixelBytes, isFirst);
      write(out, pass.first + y * pass.below, pass.right, rows, at + 1, pass.columns);
    }
  }
  return { data: out, width, height, decoder: 'png' };
}

/** The data of a chunk that pixels depend on; its checksum is checked. */
function small(chunks: readonly PngChunk[], name: string): Uint8Array | undefined {
  const chunk = chunks.find(({ type }) => type === name);
  if (chunk !== undefined) checkChunk(chunk);
  return chunk?.data;
}

interface Pass {
  readonly rows: number;
  readonly columns: number;
  readonly rowBytes: number;
  /** The position of its first pixel in the picture, and steps to the right and down, in pixels. */
  readonly first: number;
  readonly right: number;
  readonly below: number;
}

/** The passes that have pixels. */
function passesOf({ width, height, depth, samples, interlaced }: Header): Pass[] {
  return (interlaced ? ADAM7 : ONE_PASS)
    .map(([x, y, right, down]) => {
      const columns = Math.max(0, Math.ceil((width - x) / right));
      return {
        rows: Math.max(0, Math.ceil((height - y) / down)),
        columns,
        rowBytes: Math.ceil((columns * samples * depth) / 8),
        first: y * width + x,
        right,
        below: down * width,
      };
    })
    .filter(({ rows, columns }) => rows > 0 && columns > 0);
}

/** Writes `columns` pixels of the row at `rows[at]`, starting at pixel `first` of `out`, `step` apart. */
type WriteRow = (
  out: Uint8Array,
  first: number,
  step: number,
  rows: Uint8Array,
  at: number,
  columns: number,
) => void;

function rowWriter(header: Header, palette?: Uint8Array, transparency?: Uint8Array): WriteRow {
  const { samples, depth, colorType } = header;
  if (samples === 1 && depth <= 8) {
    const colors =
      colorType === PALETTE
        ? paletteColors(palette!, transparency)
        : greyColors(depth, transparency);
    return depth === 8 ? writeBytes(colors) : writeBits(colors, depth);
  }
  if (depth === 16) return write16(samples, keyOf(transparency, samples));
  return write8(samples, keyOf(transparency, samples));
}

/** RGBA of each index, as it is in memory. An index without a color is black. */
function paletteColors(palette: Uint8Array, transparency?: Uint8Array): Uint32Array {
  const colors = new Uint8Array(4 * 256);
  for (let i = 0; i < 256; i++) {
    colors.set(palette.subarray(3 * i, 3 * i + 3), 4 * i);
    colors[4 * i + 3] = transparency?.[i] ?? 255;
  }
  return new Uint32Array(colors.buffer);
}

function greyColors(depth: number, transparency?: Uint8Array): Uint32Array {
  const most = 2 ** depth - 1;
  const key = keyOf(transparency, 1)?.[0];
  const colors = new Uint8Array(4 * 256);
  for (let value = 0; value <= most; value++) {
    colors.fill((255 / most) * value, 4 * value, 4 * value + 3);
    colors[4 * value + 3] = value === key ? 0 : 255;
  }
  return new Uint32Array(colors.buffer);
}

/** The sample values of the transparent color, for pictures without alpha. */
function keyOf(transparency: Uint8Array | undefined, samples: number): number[] | undefined {
  if (transparency === undefined || samples === 2 || samples === 4) return undefined;
  const view = viewOf(transparency);
  return Array.from({ length: samples }, (_, i) => view.getUint16(2 * i));
}

function writeBytes(colors: Uint32Array): WriteRow {
  return (out, first, step, rows, at, columns) => {
    const out32 = new Uint32Array(out.buffer);
    for (let x = 0, o = first; x < columns; x++, o += step) out32[o] = colors[rows[at + x]!]!;
  };
}

function writeBits(colors: Uint32Array, depth: number): WriteRow {
  const most = 2 ** depth - 1;
  return (out, first, step, rows, at, columns) => {
    const out32 = new Uint32Array(out.buffer);
    for (let x = 0, o = first; x < columns; x++, o += step) {
      const bit = x * depth;
      const byte = rows[at + (bit >> 3)]!;
      out32[o] = colors[(byte >> (8 - depth - (bit & 7))) & most]!;
    }
  };
}

function write8(samples: number, key?: readonly number[]): WriteRow {
  if (samples === 3 && key === undefined) return writeRgb;
  const green = samples === 2 ? 0 : 1;
  const blue = samples === 2 ? 0 : 2;
  return (out, first, step, rows, at, columns) => {
    for (let x = 0, o = 4 * first, p = at; x < columns; x++, o += 4 * step, p += samples) {
      out[o] = rows[p]!;
      out[o + 1] = rows[p + green]!;
      out[o + 2] = rows[p + blue]!;
      out[o + 3] = samples === 3 ? 255 : rows[p + samples - 1]!;
      if (key?.every((value, i) => value === rows[p + i])) out[o + 3] = 0;
    }
  };
}

const writeRgb: WriteRow = (out, first, step, rows, at, columns) => {
  for (let x = 0, o = 4 * first, p = at; x < columns; x++, o += 4 * step, p += 3) {
    out[o] = rows[p]!;
    out[o + 1] = rows[p + 1]!;
    out[o + 2] = rows[p + 2]!;
    out[o + 3] = 255;
  }
};

/** 16-bit samples are rounded to the nearest of 8 bits: v·255/65535 = v/257. */
function write16(samples: number, key?: readonly number[]): WriteRow {
  const isGrey = samples <= 2;
  const hasAlpha = samples === 2 || samples === 4;
  return (out, first, step, rows, at, columns) => {
    const value = (p: number): number => (rows[p]! << 8) | rows[p + 1]!;
    for (let x = 0, o = 4 * first, p = at; x < columns; x++, o += 4 * step, p += 2 * samples) {
      out[o] = (value(p) + 128) / 257;
      out[o + 1] = isGrey ? out[o]! : (value(p + 2) + 128) / 257;
      out[o + 2] = isGrey ? out[o]! : (value(p + 4) + 128) / 257;
      out[o + 3] = hasAlpha ? (value(p + 2 * (samples - 1)) + 128) / 257 : 255;
      if (key?.every((v, i) => v === value(p + 2 * i))) out[o + 3] = 0;
    }
  };
}
