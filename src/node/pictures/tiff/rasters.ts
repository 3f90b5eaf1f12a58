/** The samples of a TIFF page, a band of rows at a time, by geotiff. */

import type { TypedArray } from 'geotiff';
import type { ByteSource } from '../../../model/index.js';
import { optionalPackage } from '../../optional-package.js';
import { bytesAsSource, type Directory, TAG } from './directory.js';
import { type JpegPiece, unpackJpeg, unpackWebp } from './jpeg-piece.js';
import { COMPRESSION, type Layout } from './layout.js';
import { unpack } from './unpack.js';

export interface Band {
  /** The first row, and the number of rows. */
  readonly top: number;
  readonly rows: number;
  /** [rows, width, layout.read.length] */
  readonly samples: TypedArray;
}

/** Rows of a band: whole strips or tiles, so that each is unpacked once, and enough rows at a time. */
const LEAST_ROWS = 128;

/** Reads the page once, from the band of row `first` on; default from the top. */
export type ReadBands = (first?: number) => AsyncGenerator<Band>;

/** @param file the bytes of the file, or a file that is read in pieces */
export async function openPage(
  file: Uint8Array | ByteSource,
  layout: Layout,
  directory: Directory,
): Promise<ReadBands> {
  const load = () => import('geotiff');
  const geotiff = await optionalPackage('geotiff', 'TIFF', load);
  const { BaseDecoder, GeoTIFFImage, ImageFileDirectory } = geotiff;
  // geotiff's own directory reader reserves memory for any size that tags claim, and reads long arrays of
  // big-endian files in the wrong order. So it gets the tags that were read and checked here.
  const fields = new ImageFileDirectory(fieldsOf(layout), new Map(), new Map(), 0);
  const from = file instanceof Uint8Array ? bytesAsSource(file) : file;
  const source = {
    fetch: async (slices: readonly { offset: number; length: number }[]) =>
      slices.map(({ offset, length }) => exactBuffer(from.read(offset, offset + length))),
  };
  const image = new GeoTIFFImage(fields, layout.littleEndian, false, source as never);

  const tables = Uint8Array.from(directory.values(TAG.jpegTables, 65_536));
  const isYcbcr = directory.first(TAG.photometric, 0) === 6;
  class PieceDecoder extends BaseDecoder {
    override async decodeBlock(packed: ArrayBufferLike): Promise<ArrayBufferLike> {
      const piece = await unpackPiece(new Uint8Array(packed), layout, { tables, isYcbcr });
      return exactBuffer(swapFor(layout, piece, 2));
    }
    override async decode(packed: ArrayBufferLike): Promise<ArrayBufferLike> {
      const piece = new Uint8Array(await super.decode(packed));
      return exactBuffer(swapFor(layout, piece, 3));
    }
  }
  const decoder = new PieceDecoder({
    tileWidth: layout.pieceWidth,
    tileHeight: layout.pieceHeight,
    predictor: layout.predictor,
    bitsPerSample: new Array<number>(layout.samples).fill(layout.bits),
    planarConfiguration: layout.planar ? 2 : 1,
  });
  const pool = { bindParameters: () => decoder };

  return async function* bands(first = 0) {
    const { width, height, pieceHeight } = layout;
    const step = pieceHeight * Math.ceil(LEAST_ROWS / pieceHeight);
    for (let top = first - (first % step); top < height; top += step) {
      const bottom = Math.min(height, top + step);
      const samples = (await image.readRasters({
        window: [0, top, width, bottom],
        samples: [...layout.read],
        interleave: true,
        pool: pool as never,
      })) as TypedArray;
      yield { top, rows: bottom - top, samples };
    }
  };
}

/** The tags that geotiff reads, by number. Samples of odd widths are widened first. */
function fieldsOf(layout: Layout): Map<number, number | number[]> {
  const { samples, offsets, byteCounts, tiled } = layout;
  const each = (value: number): number[] => new Array<number>(samples).fill(value);
  return new Map<number, number | number[]>([
    [TAG.width, layout.width],
    [TAG.height, layout.height],
    [TAG.bits, each(8 * wideBytes(layout.bits))],
    [TAG.compression, COMPRESSION.none],
    [TAG.samples, samples],
    [TAG.planar, layout.planar ? 2 : 1],
    [TAG.sampleFormat, each(layout.format)],
    [tiled ? TAG.tileOffsets : TAG.stripOffsets, [...offsets]],
    [tiled ? TAG.tileBytes : TAG.stripBytes, [...byteCounts]],
    ...(tiled
      ? ([
          [TAG.tileWidth, layout.pieceWidth],
          [TAG.tileHeight, layout.pieceHeight],
        ] as const)
      : ([[TAG.rowsPerStrip, layout.pieceHeight]] as const)),
  ]);
}

/** Bytes of a sample after widening. */
function wideBytes(bits: number): number {
  return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8;
}

async function unpackPiece(
  packed: Uint8Array,
  layout: Layout,
  picture: Pick<JpegPiece, 'tables' | 'isYcbcr'>,
): Promise<Uint8Array> {
  const { compression, bits, pieceWidth, pieceHeight, planar } = layout;
  const samples = planar ? 1 : layout.samples;
  if (compression === COMPRESSION.webp) return unpackWebp(packed, samples);
  if (compression === COMPRESSION.jpeg) {
    const piece = { width: pieceWidth, height: pieceHeight, samples, ...picture };
    return unpackJpeg(packed, piece);
  }
  const rowBytes = Math.ceil((pieceWidth * samples * bits) / 8);
  const rows = await unpack(packed, compression, rowBytes * pieceHeight);
  return bits === 8 * wideBytes(bits) ? rows : widen(rows, layout, rowBytes, pieceWidth * samples);
}

/** Samples of any number of bits, rows of whole bytes → samples of 1, 2 or 4 bytes in the file's order. */
function widen(rows: Uint8Array, layout: Layout, rowBytes: number, inRow: number): Uint8Array {
  const { bits, littleEndian } = layout;
  const bytes = wideBytes(bits);
  const height = Math.floor(rows.length / rowBytes);
  const out = Buffer.alloc(height * inRow * bytes);
  // 24 bits are three bytes in the file's order; other widths are packed, the most significant bit first.
  const swapped = bits === 24 && littleEndian;
  for (let y = 0, o = 0; y < height; y++) {
    for (let n = 0, bit = 8 * y * rowBytes; n < inRow; n++, o += bytes, bit += bits) {
      let value = 0;
      for (let b = 0; b < bits; ) {
        const at = (bit + b) >>> 3;
        const take = Math.min(bits - b, 8 - ((bit + b) & 7));
        const part = (rows[at]! >> (8 - ((bit + b) & 7) - take)) & (2 ** take - 1);
        value = swapped ? value + part * 2 ** b : value * 2 ** take + part;
        b += take;
      }
      if (littleEndian) out.writeUIntLE(value, o, bytes);
      else out.writeUIntBE(value, o, bytes);
    }
  }
  return out;
}

/**
 * geotiff adds differences (predictor 2) as little-endian numbers, and puts floating-point numbers
 * together (predictor 3) as little-endian, too. Big-endian files are swapped before and after, or only after.
 *
 * @param predictor what the caller has done: 2 before it is undone, 3 after any of them is
 */
function swapFor(layout: Layout, piece: Uint8Array, predictor: 2 | 3): Uint8Array {
  const { littleEndian, bits } = layout;
  const isDue = predictor === 2 ? layout.predictor === 2 : layout.predictor > 1;
  if (littleEndian || bits === 8 || !isDue) return piece;
  const whole = piece.length - (piece.length % (bits / 8));
  const swapped = Buffer.from(piece.subarray(0, whole));
  return bits === 16 ? swapped.swap16() : swapped.swap32();
}

/** The bytes in a buffer that has no others: a Buffer may share its own. */
function exactBuffer(bytes: Uint8Array): ArrayBufferLike {
  const { buffer, byteOffset, byteLength } = bytes;
  return buffer.byteLength === byteLength
    ? buffer
    : buffer.slice(byteOffset, byteOffset + byteLength);
}
