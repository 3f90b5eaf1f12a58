/**
 * PNG, read and written. zlib is native on workerd, so what is left is small: chunks, filters, passes,
 * samples. Only IHDR, PLTE, tRNS and IDAT are looked at: a color profile of a gigabyte stays
 * packed. Source: W3C PNG, 3rd edition.
 */

import { Buffer } from 'node:buffer';
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import type { Picture } from 'fastcam';
import { checkSize, damaged } from './picture-problems.js';
import { textAt, viewOf } from './views.js';

const SIGNATURE = '\x89PNG\r\n\x1a\n';
const GREY = 0;
const RGB = 2;
const PALETTE = 3;
/** Samples of a pixel, by color type. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** workerd reckons the output's bound by whole buffers, not by bytes. */
const SLACK = 1 << 16;

/** First column and row, steps across and down. */
type Pass = readonly [x: number, y: number, stepX: number, stepY: number];
const ALL_AT_ONCE: readonly Pass[] = [[0, 0, 1, 1]];
const ADAM7: readonly Pass[] = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

interface Header {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly depth: number;
  readonly color: number;
  readonly passes: readonly Pass[];
}

/** The stored pixels. @throws {Problem} 413 for too many, 422 for a damaged file */
export function decodePng(bytes: Uint8Array): Picture {
  const chunks = readChunks(bytes);
  const header = readHeader(chunks.get('IHDR') ?? []);
  const { width, height, passes } = header;
  const rows = inflateRows(chunks.get('IDAT') ?? [], header);
  const toRgba = converter(header, chunks.get('PLTE')?.[0], chunks.get('tRNS')?.[0]);
  const data = new Uint8Array(4 * width * height);
  let at = 0;
  for (const [x0, y0, stepX, stepY] of passes) {
    const { columns, lines, lineBytes } = passSize(header, [x0, y0, stepX, stepY]);
    let above: Uint8Array = new Uint8Array(lineBytes);
    for (let y = 0; columns > 0 && y < lines; y++) {
      const line = rows.subarray(at + 1, at + 1 + lineBytes);
      unfilter(line, above, rows[at]!, Math.max(1, bitsPerPixel(header) >> 3));
      const rowBase = (y0 + y * stepY) * width + x0;
      for (let x = 0; x < columns; x++) toRgba(data, 4 * (rowBase + x * stepX), line, x);
      above = line;
      at += 1 + lineBytes;
    }
  }
  return { data, width, height };
}

/** Chunks by their type: length, type, data, CRC. zlib's own checksum covers the pixels. */
function readChunks(bytes: Uint8Array): Map<string, Uint8Array[]> {
  const view = viewOf(bytes);
  const chunks = new Map<string, Uint8Array[]>();
  for (let at = SIGNATURE.length; at + 12 <= bytes.length; ) {
    const type = textAt(bytes, at + 4, 4);
    const begin = at + 8;
    const end = begin + view.getUint32(at);
    if (end > bytes.length) throw damaged(`a PNG that stops early, in ${type}`);
    const data = bytes.subarray(begin, end);
    const before = chunks.get(type);
    if (before) before.push(data);
    else chunks.set(type, [data]);
    if (type === 'IEND') break;
    at = end + 4;
  }
  return chunks;
}

function readHeader([data]: readonly Uint8Array[]): Header {
  if (data?.length !== 13) throw damaged('a PNG without a header');
  const view = viewOf(data);
  const width = view.getUint32(0);
  const height = view.getUint32(4);
  const [depth, color, , , interlaced] = data.subarray(8) as unknown as number[];
  checkSize(width, height);
  const depths = color === GREY || color === PALETTE ? [1, 2, 4, 8, 16] : [8, 16];
  if (SAMPLES[color!] === undefined || !depths.includes(depth!)) {
    throw damaged(`a PNG of color type ${color} and ${depth} bits`);
  }
  return {
    width,
    height,
    depth: depth!,
    color: color!,
    passes: interlaced === 0 ? ALL_AT_ONCE : ADAM7,
  };
}

/** All lines of all passes, each led by its filter's number: what the header tells, and no byte more. */
function inflateRows(data: readonly Uint8Array[], header: Header): Uint8Array {
  const expected = header.passes.reduce((sum, pass) => {
    const { columns, lines, lineBytes } = passSize(header, pass);
    return columns === 0 ? sum : sum + lines * (1 + lineBytes);
  }, 0);
  const rows = inflateSync(Buffer.concat(data), { maxOutputLength: expected + SLACK });
  if (rows.length < expected) throw damaged('a PNG that stops early');
  if (rows.length > expected) throw damaged('a PNG of more pixels than its header tells');
  return rows;
}

function passSize(header: Header, [x0, y0, stepX, stepY]: Pass) {
  const columns = Math.max(0, Math.ceil((header.width - x0) / stepX));
  const lines = Math.max(0, Math.ceil((header.height - y0) / stepY));
  return { columns, lines, lineBytes: Math.ceil((columns * bitsPerPixel(header)) / 8) };
}

function bitsPerPixel({ color, depth }: Header): number {
  return SAMPLES[color]! * depth;
}

/** Adds to each byte what its filter predicts from left (a), above (b) and left above (c); in place. */
function unfilter(line: Uint8Array, above: Uint8Array, filter: number, pixelBytes: number): void {
  for (let i = 0; filter !== 0 && i < line.length; i++) {
    const a = i < pixelBytes ? 0 : line[i - pixelBytes]!;
    const b = above[i]!;
    const c = i < pixelBytes ? 0 : above[i - pixelBytes]!;
    line[i]! += filter === 1 ? a : filter === 2 ? b : filter === 3 ? (a + b) >> 1 : paeth(a, b, c);
  }
}

/** Whichever of the three is nearest to a + b − c. */
function paeth(a: number, b: number, c: number): number {
  const toA = Math.abs(b - c);
  const toB = Math.abs(a - c);
  const toC = Math.abs(a + b - 2 * c);
  return toA <= toB && toA <= toC ? a : toB <= toC ? b : c;
}

/** Writes pixel x of a line as RGBA at `o`. */
type ToRgba = (out: Uint8Array, o: number, line: Uint8Array, x: number) => void;

function converter(header: Header, palette?: Uint8Array, transparency?: Uint8Array): ToRgba {
  const { color, depth } = header;
  const samples = SAMPLES[color]!;
  const sampleOf = (line: Uint8Array, i: number): number => {
    if (depth === 8) return line[i]!;
    if (depth === 16) return (line[2 * i]! << 8) | line[2 * i + 1]!;
    return (line[(i * depth) >> 3]! >> (8 - depth - ((i * depth) & 7))) & ((1 << depth) - 1);
  };
  if (color === PALETTE) {
    if (palette === undefined) throw damaged('a PNG without its palette');
    return (out, o, line, x) => {
      const index = sampleOf(line, x);
      for (let c = 0; c < 3; c++) out[o + c] = palette[3 * index + c] ?? 0;
      out[o + 3] = transparency?.[index] ?? 255;
    };
  }
  // One color may be transparent: its samples, 16 bits each.
  const key =
    transparency && samples % 2 === 1 && transparency.length >= 2 * samples
      ? Array.from({ length: samples }, (_, c) => viewOf(transparency).getUint16(2 * c))
      : undefined;
  const toByte = depth === 16 ? 1 / 257 : 255 / ((1 << depth) - 1);
  const withAlpha = samples % 2 === 0;
  const green = samples >= 3 ? 1 : 0;
  return (out, o, line, x) => {
    const i = x * samples;
    out[o] = Math.round(sampleOf(line, i) * toByte);
    out[o + 1] = Math.round(sampleOf(line, i + green) * toByte);
    out[o + 2] = Math.round(sampleOf(line, i + 2 * green) * toByte);
    const hidden = key?.every((value, c) => sampleOf(line, i + c) === value);
    const alpha = withAlpha ? Math.round(sampleOf(line, i + samples - 1) * toByte) : 255;
    out[o + 3] = hidden ? 0 : alpha;
  };
}

/**
 * The bytes of a PNG file, 8-bit RGB. Alpha is dropped, since nothing here draws see-through. Row
 * differences (filter 2) and a middling compression suit pictures well and are quick.
 */
export function encodePng({ data, width, height }: Picture): Uint8Array {
  const lineBytes = 1 + 3 * width;
  const rows = new Uint8Array(lineBytes * height);
  for (let y = 0; y < height; y++) {
    let o = y * lineBytes;
    rows[o++] = 2;
    for (let i = 4 * y * width; i < 4 * (y + 1) * width; i += 4) {
      const above = i - 4 * width;
      for (let c = 0; c < 3; c++) rows[o++] = data[i + c]! - (y === 0 ? 0 : data[above + c]!);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, RGB], 8);
  return Buffer.concat([
    Buffer.from(SIGNATURE, 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 4 })),
    chunk('IEND', new Uint8Array()),
  ]);
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}
