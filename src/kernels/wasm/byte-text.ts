/**
 * Bytes as text that compresses nearly as well as the bytes. In base64 a byte's character depends on its position,
 * so repeated bytes, in one module or in both builds, look different each time. Here every byte is one character
 * or two, the same in every position. gzip makes 9.4 KB of both builds, and 14.2 KB of their base64 (measured).
 *
 * The characters ( … ~ are 87 digits. Let v be a byte plus 3, modulo 256. If v < 85, it is one digit. Else
 * v = 85 + 87·a + b, and the digits are 85 + a and b. scripts/build-wasm.mjs writes it.
 */

/** The code of `(`. */
const FIRST = 40;
const DIGITS = 87;
/** Values that take one digit. */
const SINGLES = 85;
/** From −3 to 81: the numbers of locals, small constants, and the opcodes that load and store. */
const SHIFT = 3;

export function decodeBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let value = text.charCodeAt(i) - FIRST;
    if (value >= SINGLES) {
      value = SINGLES + (value - SINGLES) * DIGITS + text.charCodeAt(++i) - FIRST;
    }
    bytes[length++] = value - SHIFT;
  }
  return bytes.slice(0, length);
}
