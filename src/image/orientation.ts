/**
 * EXIF orientation: how the camera was held. Decoders that give the stored pixels (jpeg-js, fast-png)
 * do not apply it; browsers' `createImagePicture` has applied it already.
 *
 * Source: CIPA DC-008 (Exif 2.32), tag 274; there EXIF is a TIFF file (Adobe, TIFF 6.0, §2) inside
 * another: in a JPEG's APP1 segment, in a PNG's eXIf chunk.
 */

import type { Picture } from './picture.js';

/**
 * How the stored pixels relate to the picture. 1 as stored, 2 mirrored, 3 turned by 180°,
 * 4 upside down, 5 transposed, 6 must be turned clockwise, 7 transposed across the other diagonal,
 * 8 must be turned anticlockwise.
 */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** The picture turned upright; the same object if it is upright already. */
export function orient(picture: Picture, orientation: Orientation): Picture {
  if (orientation === 1) return picture;
  const { data } = picture;
  // 5…8 swap rows and columns. The four differ in which of the two then runs backwards.
  const swapped = orientation >= 5;
  const width = swapped ? picture.height : picture.width;
  const height = swapped ? picture.width : picture.height;
  const flipColumns = [2, 3, 6, 7].includes(orientation);
  const flipRows = [3, 4, 7, 8].includes(orientation);
  // Bytes from a stored pixel to its right and lower neighbours in the upright picture.
  const right = 4 * (swapped ? picture.width : 1) * (flipColumns ? -1 : 1);
  const below = 4 * (swapped ? 1 : picture.width) * (flipRows ? -1 : 1);
  const first = (flipColumns ? -right * (width - 1) : 0) + (flipRows ? -below * (height - 1) : 0);
  const out = new Uint8Array(data.length);
  for (let y = 0, o = 0; y < height; y++) {
    let from = first + y * below;
    for (let x = 0; x < width; x++, o += 4, from += right) {
      for (let c = 0; c < 4; c++) out[o + c] = data[from + c]!;
    }
  }
  return { data: out, width, height };
}

/** The first two bytes of a file; a TIFF's are its byte order. */
const JPEG = 0xffd8;
const PNG = 0x8950;
const BIG_ENDIAN = 0x4d4d;
const LITTLE_ENDIAN = 0x4949;
const JPEG_APP1 = 0xe1;
const JPEG_SCAN = 0xda;
/** `Exif`, `eXIf` */
const EXIF = 0x45786966;
const PNG_EXIF = 0x65584966;
const ORIENTATION_TAG = 274;

/** The orientation in a JPEG, PNG or TIFF file; 1 if it has none. */
export function orientationOf(file: Uint8Array): Orientation {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  try {
    const exif = findExif(view);
    const value = exif === undefined ? 1 : tiffOrientation(view, exif);
    return value >= 1 && value <= 8 ? (value as Orientation) : 1;
  } catch {
    // A read past the end of the file. Broken EXIF is common and no reason to refuse a picture.
    return 1;
  }
}

/** Where the file's EXIF data begins. */
function findExif(view: DataView): number | undefined {
  switch (view.getUint16(0)) {
    case JPEG:
      return findExifInJpeg(view);
    case PNG:
      return findExifInPng(view);
    case BIG_ENDIAN:
    case LITTLE_ENDIAN:
      return 0;
    default:
      return undefined;
  }
}

/** Segments: FF, marker, length (which counts itself), data. The scan ends the header. */
function findExifInJpeg(view: DataView): number | undefined {
  for (let at = 2; view.getUint8(at) === 0xff; at += 2 + view.getUint16(at + 2)) {
    while (view.getUint8(at + 1) === 0xff) at++;
    const marker = view.getUint8(at + 1);
    if (marker === JPEG_SCAN) return undefined;
    if (marker === JPEG_APP1 && view.getUint32(at + 4) === EXIF) return at + 10;
  }
  return undefined;
}

/** Chunks: length, type, data, CRC. */
function findExifInPng(view: DataView): number | undefined {
  for (let at = 8; at + 12 <= view.byteLength; at += 12 + view.getUint32(at)) {
    if (view.getUint32(at + 4) === PNG_EXIF) return at + 8;
  }
  return undefined;
}

/** The tag's value in the first directory of the TIFF file that begins at `begin`. */
function tiffOrientation(view: DataView, begin: number): number {
  const littleEndian = view.getUint16(begin) === LITTLE_ENDIAN;
  const directory = begin + view.getUint32(begin + 4, littleEndian);
  const entries = view.getUint16(directory, littleEndian);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + 12 * i;
    if (view.getUint16(entry, littleEndian) !== ORIENTATION_TAG) continue;
    return view.getUint16(entry + 8, littleEndian);
  }
  return 1;
}
