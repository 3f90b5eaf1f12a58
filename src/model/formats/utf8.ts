/** UTF-8 without TextDecoder, which QuickJS lacks. */

/** ASCII characters that are converted in one call; engines accept ten times as many arguments. */
const MOST = 4096;

/** The text of UTF-8 bytes. Malformed bytes become U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    let end = i;
    while (bytes[end]! < 0x80 && end < i + MOST) end++;
    if (end > i) {
      text += String.fromCharCode(...bytes.subarray(i, end));
      i = end;
    } else {
      const { code, length } = decodeCharacter(bytes, i);
      text += String.fromCodePoint(code);
      i += length;
    }
  }
  return text;
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
