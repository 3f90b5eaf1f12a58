/**
 * A strip or tile that is a JPEG. Its tables may be in a tag, and the TIFF, not the JPEG, says what its
 * channels mean. Source: Adobe Photoshop TIFF technical notes, 2002; ITU-T T.81 §B.2.
 */

import { FormatError } from '../../../errors.js';
import { optionalPackage } from '../../optional-package.js';
import { textAt, viewOf } from '../header.js';
import { decodeWithMozjpeg, readJpegHeader } from '../jpeg.js';
import { quietly } from '../quietly.js';
import { runLibwebp } from '../webp.js';

const SOI = 0xffd8;
const SOS = 0xda;
const APP0 = 0xe0;
const APP14 = 0xee;
/** An application segment that no decoder reads. */
const APP15 = 0xef;

export interface JpegPiece {
  readonly width: number;
  readonly height: number;
  /** Samples of a pixel in the piece. */
  readonly samples: number;
  /** Channels are YCbCr and become RGB; otherwise they are not changed. */
  readonly isYcbcr: boolean;
  /** A JPEG that contains only tables. */
  readonly tables: Uint8Array;
}

/** The rows of the piece, `width` pixels of `samples` bytes each. */
export async function unpackJpeg(packed: Uint8Array, piece: JpegPiece): Promise<Uint8Array> {
  if (packed.length < 4 || viewOf(packed).getUint16(0) !== SOI) {
    throw new FormatError('damaged: a strip or tile that is not JPEG');
  }
  const { tables, samples, isYcbcr } = piece;
  const file = Buffer.concat([
    packed.subarray(0, 2),
    tables.subarray(2, -2),
    adobeSegment(isYcbcr),
    withoutMeaning(packed).subarray(2),
  ]);
  const { width, height, channels } = readJpegHeader(file);
  if (width !== piece.width || height > piece.height || channels !== samples) {
    throw new FormatError(
      `a JPEG of ${width}×${height} and ${channels} channels in a TIFF strip or tile of ${piece.width}×${piece.height} and ${samples}`,
    );
  }
  return samples === 4 ? rawChannels(file) : channelsOf(await decodeWithMozjpeg(file), samples);
}

/** A strip or tile that is a WebP. */
export async function unpackWebp(packed: Uint8Array, samples: number): Promise<Uint8Array> {
  const { picture, said } = await runLibwebp(packed);
  if (picture === null) throw new Error(said.join('; ') || 'its pixels cannot be decoded');
  return channelsOf(picture, samples);
}

/** The segment that tells a decoder whether three channels are YCbCr (1) or not to be changed (0). */
function adobeSegment(isYcbcr: boolean): Uint8Array {
  const transform = isYcbcr ? 1 : 0;
  return Uint8Array.of(0xff, APP14, 0, 14, ...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0, transform);
}

/** A copy without segments that say something else: JFIF's and Adobe's. */
function withoutMeaning(packed: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(packed);
  const view = viewOf(copy);
  for (let at = 2; view.getUint8(at) === 0xff; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint8(at + 1);
    if (marker === SOS) break;
    const isMeaning = marker === APP0 || (marker === APP14 && textAt(copy, at + 4, 5) === 'Adobe');
    if (isMeaning) copy[at + 1] = APP15;
  }
  return copy;
}

/** The first channels of RGBA pixels. */
function channelsOf({ data }: { readonly data: ArrayLike<number> }, samples: number): Uint8Array {
  const out = new Uint8Array((data.length / 4) * samples);
  for (let i = 0, o = 0; o < out.length; i += 4) {
    for (let c = 0; c < samples; c++) out[o++] = data[i + c]!;
  }
  return out;
}

/** Four channels as they are stored, which mozjpeg does not provide: by geotiff's own decoder. */
async function rawChannels(file: Uint8Array): Promise<Uint8Array> {
  const { getDecoder } = await optionalPackage('geotiff', 'TIFF', () => import('geotiff'));
  const jpeg = 7;
  const decoder = await getDecoder(jpeg, {
    tileWidth: 0,
    tileHeight: 0,
    predictor: 1,
    bitsPerSample: 8,
    planarConfiguration: 1,
  });
  const { result } = quietly(() => decoder.decodeBlock(Uint8Array.from(file).buffer));
  return new Uint8Array(await result);
}
