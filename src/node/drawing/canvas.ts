/**
 * A white sheet for pictures and text. Text is set in bitmap fonts (Open Sans).
 */

import { createPicture, type Picture } from '../../image/picture.js';
import { placePicture } from '../place-picture.js';
import { type BitmapFont, drawText, loadBitmapFont, textWidth } from './bitmap-font.js';

const WHITE = 255;

/** Characters that the fonts lack, and their replacements. */
const STAND_INS: Record<string, string> = { '−': '-', '–': '-', '—': '-', '…': '...', '’': "'" };

/** Text sizes in pixels: the sizes of the fonts. */
export type TextSize = 16 | 32;

/** Height of a line of each size, in pixels. */
export const LINE: Readonly<Record<TextSize, number>> = { 16: 24, 32: 46 };

/** Black is for names; grey is for details. */
export type Tone = 'black' | 'grey';

/** The level of a letter's pixel. */
const INK: Readonly<Record<Tone, number>> = { black: 0, grey: 110 };

/** Measures and draws text. Made once, because loading the fonts takes longer than using them. */
export class Lettering {
  readonly #fonts: Readonly<Record<TextSize, BitmapFont>>;

  private constructor(fonts: Record<TextSize, BitmapFont>) {
    this.#fonts = fonts;
  }

  static async load(): Promise<Lettering> {
    const { FONTS } = await import('./fonts.js');
    const [text, title] = await Promise.all([loadBitmapFont(FONTS[16]), loadBitmapFont(FONTS[32])]);
    return new Lettering({ 16: text, 32: title });
  }

  /** Width of one line in pixels. */
  width(text: string, size: TextSize): number {
    return textWidth(this.#fonts[size], printable(text));
  }

  /** The text, shortened to fit. */
  cut(text: string, size: TextSize, maxWidth: number): string {
    if (this.width(text, size) <= maxWidth) return text;
    let kept = text.length;
    while (kept > 0 && this.width(`${text.slice(0, kept)}…`, size) > maxWidth) kept--;
    return `${text.slice(0, kept)}…`;
  }

  /** One line of text on white, as wide as the text. */
  draw(text: string, size: TextSize, tone: Tone): Picture {
    const width = Math.max(1, this.width(text, size));
    const coverage = new Uint8Array(width * LINE[size]);
    drawText(coverage, width, this.#fonts[size], printable(text));
    const line = createPicture(width, LINE[size]);
    const levels = new Uint8Array(line.data.buffer);
    for (let i = 0; i < coverage.length; i++) {
      const level = WHITE - (coverage[i]! * (WHITE - INK[tone])) / WHITE;
      levels.fill(level, 4 * i, 4 * i + 3);
      levels[4 * i + 3] = WHITE;
    }
    return line;
  }
}

export class Canvas {
  readonly picture: Picture;
  readonly #lettering: Lettering;

  constructor(width: number, height: number, lettering: Lettering) {
    this.picture = { data: new Uint8Array(4 * width * height).fill(WHITE), width, height };
    this.#lettering = lettering;
  }

  /** Copies an opaque picture, with its top left corner at (x, y). It must fit. */
  place(picture: Picture, x: number, y: number): void {
    placePicture(this.picture, picture, x, y);
  }

  /** Draws one line of text with its top left corner at (x, y). It must fit. */
  text(text: string, size: TextSize, x: number, y: number, tone: Tone = 'black'): void {
    this.place(this.#lettering.draw(text, size, tone), x, y);
  }
}

/** On one line, in characters that the fonts have. */
function printable(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[−–—…’]/g, (c) => STAND_INS[c]!);
}
