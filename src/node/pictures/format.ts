/** The interface of a picture format: one file each, and one line in decode.ts. */

import type { Orientation } from '../../image/orientation.js';
import type { Picture } from '../../image/picture.js';
import type { PictureSize } from './header.js';

/** How samples become bytes. Plain data, so that it can be sent to a worker thread. */
export interface DecodeOptions {
  /**
   * The values that become black and white, for samples that are floating-point or wider than 16 bits:
   * two values, or the least and the greatest of the picture. Default: 0 and 1 if no value is
   * outside, else `min-max`. If it is given, it applies to TIFF samples of any kind.
   */
  readonly sampleRange?: 'min-max' | readonly [black: number, white: number];
  /** The most pixels that are decoded. Default, and at most, 100 million. */
  readonly maxPixels?: number;
}

/** A picture, and the decoder that read it. */
export interface DecodedPicture extends Picture {
  /**
   * `mozjpeg`, `jpeg-js`, `png`, `libwebp`, `libavif`, `geotiff`, `gif`, `bmp`, or `sharp` if that is
   * installed.
   */
  readonly decoder: string;
  /** No pixel is transparent, so no check is needed: true for JPEG. */
  readonly isOpaque?: boolean;
}

/** `Header` is the result of reading the header. It is passed on, so that no file is read twice. */
export interface PictureFormat<Header extends PictureSize = PictureSize> {
  /** Its name in messages: `JPEG`. */
  readonly name: string;
  /** Decided by the first bytes. */
  matches(bytes: Uint8Array): boolean;
  /**
   * The header, with the size in it. Called before any decoder runs.
   *
   * @throws {FormatError} for a header that no decoder should get, {UnreadableKindError} for a kind of the
   * format that is not supported here
   */
  readHeader(bytes: Uint8Array): Header;
  /** As stored: the caller applies the orientation. */
  decode(bytes: Uint8Array, header: Header, options: DecodeOptions): Promise<DecodedPicture>;
  orientationOf(bytes: Uint8Array): Orientation;
  /** True if sharp, when installed, reads this file as well and faster. */
  forSharp(header: Header): KnownOfPicture | undefined;
}

/** Facts about a picture before it is decoded. */
export interface KnownOfPicture {
  readonly isCmyk: boolean;
  /** False if it is not known. */
  readonly isOpaque: boolean;
}
