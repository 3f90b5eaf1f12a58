/**
 * AVIF, by libavif in WebAssembly; for a sequence the first picture. Source: ISO/IEC 23008-12 (HEIF) §6 and
 * §9.3; AV1 Image File Format 1.1. Its EXIF orientation must be ignored: `irot` and `imir` give it.
 */

import { FormatError } from '../../errors.js';
import type { Orientation } from '../../image/orientation.js';
import type { DecodedPicture, PictureFormat } from './format.js';
import { checkSize, type PictureSize, textAt, viewOf } from './header.js';
import { type CodecFiles, runCodec } from './wasm-codec.js';

const LIBAVIF: CodecFiles = {
  script: () => import('@jsquash/avif/codec/dec/avif_dec.js'),
  wasm: '@jsquash/avif/codec/dec/avif_dec.wasm',
  format: 'AVIF',
};

export const AVIF: PictureFormat = {
  name: 'AVIF',
  matches: isAvif,
  readHeader: readSize,
  decode: decodeAvif,
  orientationOf: (bytes) => turn(primaryProperties(bytes)),
  forSharp: () => ({ isCmyk: false, isOpaque: false }),
};

/** By its first brand, or by the others if the first only says HEIF. */
function isAvif(bytes: Uint8Array): boolean {
  if (bytes.length < 16 || textAt(bytes, 4, 4) !== 'ftyp') return false;
  const major = textAt(bytes, 8, 4);
  const others = textAt(bytes, 16, Math.min(viewOf(bytes).getUint32(0) - 16, 256));
  return /^avi[fs]$/.test(major) || (/^(mif1|msf1|miaf)$/.test(major) && /avi[fs]/.test(others));
}

async function decodeAvif(bytes: Uint8Array): Promise<DecodedPicture> {
  const bits = 8;
  const { picture, said } = await runCodec(LIBAVIF, bytes, bits);
  if (picture === null) throw new Error(said.join('; ') || 'its pixels cannot be decoded');
  return { ...picture, decoder: 'libavif' };
}

/** Checks every size in the file: tiles of a grid have their own. */
function readSize(bytes: Uint8Array): PictureSize {
  let size: PictureSize | undefined;
  for (const property of propertiesOf(findBox(bytes, 'meta'))) {
    if (property.type === 'ispe') checkSize(...extent(property));
  }
  for (const property of primaryProperties(bytes)) {
    if (property.type !== 'ispe') continue;
    const [width, height] = extent(property);
    size = { width, height };
  }
  if (size === undefined) throw new FormatError('an AVIF without a size');
  return size;
}

/** Version and flags, then width and height. */
function extent({ data }: Box): [width: number, height: number] {
  const view = viewOf(data);
  return [view.getUint32(4), view.getUint32(8)];
}

/** Orientations by quarter turns anticlockwise, and by the mirror that follows. */
const TURNED: readonly Orientation[] = [1, 8, 3, 6];
const TURNED_THEN_UPSIDE_DOWN: readonly Orientation[] = [4, 5, 2, 7];
const TURNED_THEN_LEFT_FOR_RIGHT: readonly Orientation[] = [2, 7, 4, 5];

function turn(properties: readonly Box[]): Orientation {
  const firstByteOf = (name: string): number | undefined =>
    properties.find(({ type }) => type === name)?.data[0];
  const mirror = firstByteOf('imir');
  const turns = (firstByteOf('irot') ?? 0) & 3;
  if (mirror === undefined) return TURNED[turns]!;
  return (mirror & 1 ? TURNED_THEN_LEFT_FOR_RIGHT : TURNED_THEN_UPSIDE_DOWN)[turns]!;
}

interface Box {
  readonly type: string;
  readonly data: Uint8Array;
}

/** Boxes: length (which counts itself), type, data. A length of 1 is followed by one of 8 bytes. */
function boxesOf(bytes: Uint8Array): Box[] {
  const view = viewOf(bytes);
  const boxes: Box[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const short = view.getUint32(at);
    const isLong = short === 1 && at + 16 <= bytes.length;
    const length = isLong ? Number(view.getBigUint64(at + 8)) : short || bytes.length - at;
    const head = isLong ? 16 : 8;
    if (length < head) break;
    boxes.push({ type: textAt(bytes, at + 4, 4), data: bytes.subarray(at + head, at + length) });
    at += length;
  }
  return boxes;
}

/** The data of the first box of a type; empty if there is none. */
function findBox(bytes: Uint8Array, type: string): Uint8Array {
  return boxesOf(bytes).find((box) => box.type === type)?.data ?? new Uint8Array();
}

/** All properties of the items of a `meta` box, which begins with version and flags. */
function propertiesOf(meta: Uint8Array): Box[] {
  return boxesOf(findBox(findBox(meta.subarray(4), 'iprp'), 'ipco'));
}

/** The properties of the picture to show, in order. */
function primaryProperties(bytes: Uint8Array): Box[] {
  const meta = findBox(bytes, 'meta');
  const properties = propertiesOf(meta);
  const pitm = findBox(meta.subarray(4), 'pitm');
  const ipma = findBox(findBox(meta.subarray(4), 'iprp'), 'ipma');
  if (pitm.length < 6 || ipma.length < 8) return [];
  const primary = readId(viewOf(pitm), 4, pitm[0]! > 0);
  return associations(ipma, primary).flatMap((index) => properties[index - 1] ?? []);
}

/** The one-based numbers of an item's properties. */
function associations(ipma: Uint8Array, item: number): number[] {
  const view = viewOf(ipma);
  const hasLongIds = view.getUint8(0) >= 1;
  const hasLongIndices = (view.getUint8(3) & 1) === 1;
  const entries = view.getUint32(4);
  let at = 8;
  for (let n = 0; n < entries; n++) {
    const id = readId(view, at, hasLongIds);
    at += hasLongIds ? 4 : 2;
    const count = view.getUint8(at++);
    const width = hasLongIndices ? 2 : 1;
    if (id === item) {
      // The top bit says that a reader must know the property.
      return Array.from({ length: count }, (_, i) =>
        hasLongIndices ? view.getUint16(at + 2 * i) & 0x7fff : view.getUint8(at + i) & 0x7f,
      );
    }
    at += count * width;
  }
  return [];
}

function readId(view: DataView, at: number, isLong: boolean): number {
  return isLong ? view.getUint32(at) : view.getUint16(at);
}
