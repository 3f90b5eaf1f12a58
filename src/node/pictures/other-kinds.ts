/** Names the kind of a file that no decoder here reads, by its first bytes: the file name is not trusted. */

import { textAt } from './header.js';

/** By the words after `ftyp` in the first box. */
const FTYP_BRANDS: Record<string, string> = {
  heic: 'a HEIC picture',
  heix: 'a HEIC picture',
  heim: 'a HEIC picture',
  heis: 'a HEIC picture',
  hevc: 'a HEIC picture',
  hevx: 'a HEIC picture',
  mif1: 'a HEIF picture',
  msf1: 'a HEIF picture',
  jp2: 'a JPEG 2000 picture',
  'crx ': 'a Canon raw picture',
};

/** With its article; undefined if the kind is not known. */
export function nameOfKind(bytes: Uint8Array): string | undefined {
  const text = textAt(bytes, 0, 256);
  if (text.slice(4, 8) === 'ftyp') return FTYP_BRANDS[text.slice(8, 12)] ?? 'a video';
  if (SVG.test(text.replace('\xef\xbb\xbf', ''))) return 'an SVG drawing';
  return BEGINNINGS.find(([, ...all]) => all.some((one) => text.startsWith(one)))?.[0];
}

const BEGINNINGS: readonly (readonly [name: string, ...beginnings: string[]])[] = [
  ['a JPEG XL picture', '\xff\x0a', '\0\0\0\x0cJXL '],
  ['a JPEG 2000 picture', '\0\0\0\x0cjP  ', '\xff\x4f\xff\x51'],
  ['a Photoshop document', '8BPS'],
  ['an icon', '\0\0\x01\0', 'icns'],
  ['a cursor', '\0\0\x02\0'],
  ['a PDF document', '%PDF'],
  ['a PostScript document', '%!PS', '\xc5\xd0\xd3\xc6'],
  ['a raw picture', 'FUJIFILM', 'IIRO', 'IIU\0', 'IIRS'],
  ['a PNM picture', ...[1, 2, 3, 4, 5, 6, 7].flatMap((n) => [`P${n}\n`, `P${n} `])],
  ['an OpenEXR picture', '\x76\x2f\x31\x01'],
  ['a Radiance HDR picture', '#?RADIANCE', '#?RGBE'],
  ['a DDS texture', 'DDS '],
  ['a QOI picture', 'qoif'],
  ['a GIMP document', 'gimp xcf'],
];

/** After the text that XML allows before it. */
const SVG = /^\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg/is;
