/**
 * Lines of text in bitmap fonts. scripts/build-fonts.mjs takes the fonts from jimp; jimp itself is not installed with
 * this package.
 *
 * Format: AngelCode's BMFont as XML, with one element for the sheet of letters, each letter, and each pair of letters
 * that are set closer.
 */

import type { Picture } from '../../image/picture.js';
import { decodePicture } from '../pictures/decode.js';

/** The position of a letter on the sheet, and in a line, in pixels. */
interface Letter {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly xoffset: number;
  readonly yoffset: number;
  readonly xadvance: number;
}

export interface BitmapFont {
  readonly letters: ReadonlyMap<string, Letter>;
  /** For two letters, how far the second is moved. */
  readonly kernings: ReadonlyMap<string, number>;
  /** Black letters; alpha is how much of a pixel they cover. */
  readonly sheet: Picture;
}

/** Used for a letter that the font does not have. */
const UNKNOWN = '?';

/** A font as in ./fonts.ts. */
export interface FontFiles {
  /** The text of the .fnt file. */
  readonly letters: string;
  /** The PNG with the letters, in base64. */
  readonly sheet: string;
}

export async function loadBitmapFont({ letters: xml, sheet }: FontFiles): Promise<BitmapFont> {
  const letters = elementsOf(xml, 'char').map((element): [string, Letter] => {
    const { id, ...letter } = numbersOf(element);
    return [String.fromCharCode(id!), letter as unknown as Letter];
  });
  const kernings = elementsOf(xml, 'kerning').map((element): [string, number] => {
    const { first, second, amount } = numbersOf(element);
    return [String.fromCharCode(first!, second!), amount!];
  });
  return {
    letters: new Map(letters),
    kernings: new Map(kernings),
    sheet: await decodePicture(Buffer.from(sheet, 'base64'), 'the sheet of a font'),
  };
}

/** Width of one line in pixels. */
export function textWidth(font: BitmapFont, text: string): number {
  return setText(font, text, () => {});
}

/**
 * Draws one line of text.
 *
 * @param out [height, width], 0 without a letter, 255 where a letter covers the whole pixel; letters that do not fit
 * are cut
 */
export function drawText(out: Uint8Array, width: number, font: BitmapFont, text: string): void {
  const height = out.length / width;
  const { data, width: sheetWidth } = font.sheet;
  setText(font, text, (letter, left) => {
    for (let y = 0; y < letter.height; y++) {
      const oy = y + letter.yoffset;
      if (oy < 0 || oy >= height) continue;
      for (let x = 0; x < letter.width; x++) {
        const ox = x + left + letter.xoffset;
        if (ox < 0 || ox >= width) continue;
        const alpha = data[4 * ((letter.y + y) * sheetWidth + letter.x + x) + 3]!;
        // Neighbours may overlap by a pixel.
        const before = out[oy * width + ox]!;
        out[oy * width + ox] = before + alpha - (before * alpha) / 255;
      }
    }
  });
}

/** @returns where the line ends, in pixels from its beginning */
function setText(
  { letters, kernings }: BitmapFont,
  text: string,
  set: (letter: Letter, left: number) => void,
): number {
  let x = 0;
  for (let i = 0; i < text.length; i++) {
    const letter = letters.get(text[i]!) ?? letters.get(UNKNOWN)!;
    set(letter, x);
    x += letter.xadvance + (kernings.get(text.slice(i, i + 2)) ?? 0);
  }
  return x;
}

/** The attributes of every element of a name. */
function elementsOf(xml: string, name: string): Record<string, string>[] {
  return [...xml.matchAll(new RegExp(`<${name} ([^>]*)/>`, 'g'))].map(([, attributes]) =>
    Object.fromEntries(
      [...attributes!.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!]),
    ),
  );
}

function numbersOf(attributes: Record<string, string>): Record<string, number> {
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, Number(value)]));
}
