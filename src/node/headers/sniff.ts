/** The kind of a file by its first bytes: a name's ending proves nothing. */

import { textAt } from './header.js';

/** What can be decoded, under the names that jimp registers its decoders by. */
export type PictureType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/bmp' | 'image/tiff';

/** Pictures that no decoder here reads, by the words that follow `ftyp` in their first box. */
const FTYP_BRANDS: Record<string, string> = {
  avif: 'AVIF',
  avis: 'AVIF',
  heic: 'HEIC',
  heix: 'HEIC',
  hevc: 'HEIC',
  mif1: 'HEIF',
  msf1: 'HEIF',
};

/** The type of a picture that can be decoded, or undefined. */
export function sniffPicture(bytes: Uint8Array): PictureType | undefined {
  const text = textAt(bytes, 0, 8);
  if (text === '\x89PNG\r\n\x1a\n') return 'image/png';
  if (text.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'image/gif';
  if (text.startsWith('BM')) return 'image/bmp';
  if (text.startsWith('II*\0') || text.startsWith('MM\0*')) return 'image/tiff';
  return undefined;
}

/** What a file that cannot be decoded is, where that can be told. */
export function sniffOther(bytes: Uint8Array): string | undefined {
  const text = textAt(bytes, 0, 64);
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') return 'a WebP picture';
  if (text.slice(4, 8) === 'ftyp') {
    const brand = FTYP_BRANDS[text.slice(8, 12)];
    return brand === undefined ? 'a video' : `an ${brand} picture`.replace('an HEI', 'a HEI');
  }
  if (text.startsWith('\xff\x0a') || text.slice(4, 8) === 'JXL ') return 'a JPEG XL picture';
  if (text.slice(4, 8) === 'jP  ') return 'a JPEG 2000 picture';
  if (text.startsWith('8BPS')) return 'a Photoshop document';
  if (text.startsWith('II+\0') || text.startsWith('MM\0+')) return 'a BigTIFF picture';
  if (text.startsWith('\0\0\x01\0')) return 'an icon';
  if (text.startsWith('%PDF')) return 'a PDF document';
  if (/^\s*(<\?xml[^>]*>\s*)?<svg/i.test(text)) return 'an SVG drawing';
  return undefined;
}
