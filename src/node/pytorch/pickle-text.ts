/** Numbers and text as protocol 0 writes them: a line of characters each. */

import { FormatError } from '../../errors.js';

/** Enough for any number: Python writes the number of atoms in the universe with 80. */
const MAX_DIGITS = 400;

const SPECIAL: Readonly<Record<string, number>> = { inf: Infinity, '-inf': -Infinity, nan: NaN };

/** The number of `12`, `-3L` or `1e-05`; a boolean for `00` and `01`. Rounded above 2⁵³. */
export function numberOfText(text: string): number | boolean {
  if (text === '00') return false;
  if (text === '01') return true;
  if (Object.hasOwn(SPECIAL, text)) return SPECIAL[text]!;
  if (text.length > MAX_DIGITS || !/^[-+]?\d+(?:L|(?:\.\d*)?(?:e[-+]?\d+)?)$/i.test(text)) {
    throw new FormatError('a value that is not a number');
  }
  return Number(text.replace(/L$/i, ''));
}

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\n': '' };

/** The text of `'it\'s'`, quotes and all. */
export function pythonText(line: string): string {
  const quote = line[0];
  if (line.length < 2 || (quote !== "'" && quote !== '"') || line.at(-1) !== quote) {
    throw new FormatError('text without quotes');
  }
  return line
    .slice(1, -1)
    .replace(/\\(?:x([0-9a-fA-F]{2})|([\s\S]))/g, (_, hex: string | undefined, other: string) =>
      hex ? String.fromCharCode(Number.parseInt(hex, 16)) : (ESCAPED[other] ?? other),
    );
}

/** Latin-1, with `\u` and four digits, or `\U` and eight, for other characters. */
export function rawUnicode(bytes: Uint8Array): string {
  let latin = '';
  for (const byte of bytes) latin += String.fromCharCode(byte);
  return latin.replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/g, (escaped, four, eight) => {
    const code = Number.parseInt(four ?? eight, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : escaped;
  });
}
