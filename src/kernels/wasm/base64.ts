/** Base64 (RFC 4648) without `atob`, which QuickJS lacks. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Decodes padded or unpadded base64 of the standard alphabet; no white space. */
export function decodeBase64(text: string): Uint8Array {
  const values = new Uint8Array(128);
  for (let i = 0; i < 64; i++) values[ALPHABET.charCodeAt(i)] = i;
  const length = text.indexOf('=') < 0 ? text.length : text.indexOf('=');
  const bytes = new Uint8Array((length * 3) >> 2);
  let bits = 0;
  for (let i = 0, o = 0; i < length; i++) {
    bits = (bits << 6) | values[text.charCodeAt(i)]!;
    // After four characters, 24 bits: a byte is complete after the second, third and fourth.
    if (i % 4 > 0) bytes[o++] = bits >> (6 - 2 * (i % 4));
  }
  return bytes;
}
