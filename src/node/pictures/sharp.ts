/**
 * sharp, if the user has installed it beside fastcam: an optional peer dependency that we never install.
 * It is faster with JPEG, WebP and AVIF, and reads formats that no decoder here does.
 */

import type { DecodedPicture, KnownOfPicture } from './format.js';
import { checkSize, MAX_PIXELS } from './header.js';

/** The part of sharp that is used here. */
interface Pipeline {
  metadata(): Promise<{ width: number; height: number; space?: string; hasAlpha?: boolean }>;
  rotate(): Pipeline;
  toColourspace(name: 'srgb'): Pipeline;
  ensureAlpha(): Pipeline;
  raw(): Pipeline;
  toBuffer(options: { resolveWithObject: true }): Promise<{
    data: Uint8Array;
    info: { width: number; height: number; channels: number };
  }>;
}
type Sharp = (bytes: Uint8Array, options: object) => Pipeline;

/** If it is 0, sharp is not used. */
const SWITCH = 'FASTCAM_SHARP';

let loaded: Promise<Sharp | undefined> | undefined;

/** sharp, or undefined if it is not installed, does not start, or is switched off. */
export function findSharp(): Promise<Sharp | undefined> | undefined {
  if (process.env[SWITCH] === '0') return undefined;
  loaded ??= loadSharp();
  return loaded;
}

async function loadSharp(): Promise<Sharp | undefined> {
  // A name that bundlers and the compiler cannot follow, because the package may be missing.
  const name: string = 'sharp';
  try {
    return ((await import(name)) as { default: Sharp }).default;
  } catch {
    return undefined;
  }
}

/** Reads only the header. @throws {FormatError} for a size that is not decoded, with our message */
export async function look(
  sharp: Sharp,
  bytes: Uint8Array,
  maxPixels?: number,
): Promise<KnownOfPicture> {
  const { width, height, space, hasAlpha } = await sharp(bytes, {
    limitInputPixels: false,
  }).metadata();
  checkSize(width, height, 'the picture', maxPixels);
  return { isCmyk: space === 'cmyk', isOpaque: hasAlpha === false };
}

/**
 * The first page or frame as 8-bit RGBA, with its orientation applied.
 *
 * An embedded profile is ignored, as in the other decoders and in torchvision. Only for CMYK it is used,
 * which has no meaning without one.
 */
export async function decodeWithSharp(
  sharp: Sharp,
  bytes: Uint8Array,
  { isCmyk, isOpaque }: KnownOfPicture,
): Promise<DecodedPicture> {
  const { data, info } = await sharp(bytes, { limitInputPixels: MAX_PIXELS, ignoreIcc: !isCmyk })
    .rotate()
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 4) throw new Error(`sharp gives ${info.channels} channels`);
  return { data, width: info.width, height: info.height, decoder: 'sharp', isOpaque };
}
