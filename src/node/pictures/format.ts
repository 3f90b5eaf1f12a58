/** What a picture format is to the rest: one file each, and one line in decode.ts. */

import type { Orientation } from '../../image/orientation.js';
import type { Picture } from '../../image/picture.js';
import type { PictureSize } from './header.js';

/** How samples become bytes. Plain data, which can be sent to a worker thread. */
export interface DecodeOptions {
  /**
   * What becomes black and what white where samples are floating-point numbers or wider than 16 bits:
   * two values, or the least and the greatest of the picture. Default: 0 and 1 where no value lies
   * outside, else `min-max`. Given, it holds for TIFF samples of any kind.
   */
  readonly sampleRange?: 'min-max' | readonly [black: number, white: number];
  /** The most pixels that are decoded. Default, and at most, 100 million. */
  readonly maxPixels?: number;
}

/** A picture, and what read it. */
export interface DecodedPicture extends Picture {
  /**
   * `mozjpeg`, `jpeg-js`, `png`, `libwebp`, `libavif`, `geotiff`, `gif`, `bmp`, or `sharp` where that is
   * installed.
   */
  readonly decoder: string;
  /** No pixel is transparent, and none need be looked for: so it is with JPEG. */
  readonly isOpaque?: boolean;
}

/** `Header` is what one reading of the header gives: it is handed on, so that no file is gone through twice. */
export interface PictureFormat<Header extends PictureSize = PictureSize> {
  /** As in messages: `JPEG`. */
  readonly name: string;
  /** Told by the first bytes. */
  matches(bytes: Uint8Array): boolean;
  /**
   * The header, with the size in it. Called before anything is decoded, by whatever decoder.
   *
   * @throws {FormatError} for a header that no decoder should see, {UnreadableKindError} for a kind of the
   * format that is not read here
   */
  readHeader(bytes: Uint8Array): Header;
  /** As stored: the orientation is left to the caller. */
  decode(bytes: Uint8Array, header: Header, options: DecodeOptions): Promise<DecodedPicture>;
  orientationOf(bytes: Uint8Array): Orientation;
  /** Where sharp, if it is installed, reads this file as well and in less time: what it need not look for. */
  forSharp(header: Header): KnownOfPicture | undefined;
}

/** What is known of a picture before it is decoded. */
export interface KnownOfPicture {
  readonly isCmyk: boolean;
  /** False where it may be either. */
  readonly isOpaque: boolean;
}
