/** UTF-8 without TextDecoder, which QuickJS lacks. */

/** UTF-16 units that are turned to text at once: engines take ten times as many arguments. */
const UNITS = 4096;

/** The text of UTF-8 bytes. Malformed ones become U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  const units = new Uint16Array(Math.min(UNITS, bytes.length));
  let text = '';
  let n = 0;
  for (let i = 0; i < bytes.length; ) {
    // A character takes two units at most.
    if (n > UNITS - 2) {
      text += String.fromCharCode(...units.subarray(0, n));
      n = 0;
    }
    if (bytes[i]! < 0x80) {
      units[n++] = bytes[i++]!;
      continue;
    }
    const { code, length } = decodeCharacter(bytes, i);
    i += length;
    if (code > 0xffff) units[n++] = 0xd7c0 + (code >> 10);
    units[n++] = code > 0xffff ? 0xdc00 + (code & 0x3ff) : code;
  }
  return text + String.fromCharCode(...units.subarray(0, n));
}

/** The character of two bytes or more that begins at byte `i`, and its length in bytes. */
function decodeCharacter(bytes: Uint8Array, i: number): { code: number; length: number } {
  const lead = bytes[i]!;
  const more = lead >> 5 === 6 ? 1 : lead >> 4 === 14 ? 2 : lead >> 3 === 30 ? 3 : 0;
  if (more === 0) return { code: 0xfffd, length: 1 };
  let code = lead & (0x3f >> more);
  for (let n = 1; n <= more; n++) {
    const next = bytes[i + n];
    if (next === undefined || next >> 6 !== 2) return { code: 0xfffd, length: n };
    code = (code << 6) | (next & 0x3f);
  }
  return { code: code > 0x10ffff ? 0xfffd : code, length: more + 1 };
}
