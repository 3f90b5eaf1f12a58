import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import { parseSafetensors } from '../../../src/model/index.js';
import { writeSafetensors } from '../../../src/node/safetensors-writer.js';

/** A file from a header (text or value) and data bytes. */
function fileOf(header: unknown, data: Uint8Array = new Uint8Array(0), padding = 0): Uint8Array {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const json = Buffer.from(text + ' '.repeat(padding));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return new Uint8Array(Buffer.concat([length, json, data]));
}

const parse = (bytes: Uint8Array): ReturnType<typeof parseSafetensors> =>
  parseSafetensors(bytes, 'file');

describe('parseSafetensors', () => {
  it('reads F32, F64, F16 and BF16 exactly, unaligned and behind a padded header', () => {
    const data = Buffer.alloc(8 + 16 + 4 + 4);
    data.writeFloatLE(1.5, 0);
    data.writeFloatLE(-2, 4);
    data.writeDoubleLE(0.1, 8);
    data.writeDoubleLE(3, 16);
    data.writeUInt16LE(0x3e00, 24);
    data.writeUInt16LE(0xfc00, 26);
    data.writeUInt16LE(0x3fc0, 28);
    data.writeUInt16LE(0xc000, 30);
    const tensor = (dtype: string, begin: number, end: number): object => ({
      dtype,
      shape: [2],
      data_offsets: [begin, end],
    });
    const header = {
      __metadata__: { note: 'ü — 猫 🐈' },
      a: tensor('F32', 0, 8),
      b: tensor('F64', 8, 24),
      c: tensor('F16', 24, 28),
      d: tensor('BF16', 28, 32),
    };
    for (let padding = 0; padding < 8; padding++) {
      const file = parse(fileOf(header, data, padding));
      expect(file.metadata.get('note')).toBe('ü — 猫 🐈');
      expect([...file.read('a')]).toEqual([1.5, -2]);
      expect([...file.read('b')]).toEqual([Math.fround(0.1), 3]);
      expect([...file.read('c')]).toEqual([1.5, Number.NEGATIVE_INFINITY]);
      expect([...file.read('d')]).toEqual([1.5, -2]);
    }
  });

  it('decodes every one of the 65536 halves', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const header = { a: { dtype: 'F16', shape: [65536], data_offsets: [0, 131072] } };
    const floats = parse(fileOf(header, new Uint8Array(bits.buffer))).read('a');
    const expected = Array.from(bits, (half) => {
      const exponent = (half >> 10) & 31;
      const fraction = (half & 1023) / 1024;
      let value = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
      if (exponent === 31) value = fraction ? Number.NaN : Number.POSITIVE_INFINITY;
      return half & 0x8000 ? -value : value;
    });
    expect([...floats]).toEqual(expected);
  });

  it('decodes characters of one to four bytes at any position, as TextEncoder wrote them', () => {
    for (let ascii = 4060; ascii < 4110; ascii++) {
      const note = `${'x'.repeat(ascii)}ü—🐈ü${'🐈'.repeat(ascii)}`;
      expect(parse(fileOf({ __metadata__: { note } })).metadata.get('note')).toBe(note);
    }
    const broken = fileOf('{"__metadata__":{"a":"??x"}}');
    broken.set([0xc3, 0x28], broken.indexOf(0x3f));
    expect(parse(broken).metadata.get('a')).toBe('\ufffd(x');
  });

  it('reads a header of ten megabytes in about ten times the time of one megabyte', () => {
    const time = (bytes: number): number => {
      const file = fileOf({}, new Uint8Array(0), bytes);
      const start = performance.now();
      parse(file);
      return performance.now() - start;
    };
    // Of several, the least: that of an hour when nothing else ran.
    const least = Math.min(...Array.from({ length: 5 }, () => time(1_000_000)));
    expect(time(10_000_000) / least).toBeLessThan(60);
  });

  it('does not share memory with the file: a tensor read can be changed', () => {
    const bytes = Buffer.from(writeSafetensors({ a: { shape: [1], data: Float32Array.of(1) } }));
    const file = parse(bytes);
    file.read('a')[0] = 5;
    expect(file.read('a')[0]).toBe(1);
  });

  const entry = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
  const eight = new Uint8Array(8);
  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'not a safetensors file: 0 bytes'],
    ['a file of 7 bytes', new Uint8Array(7), 'not a safetensors file: 7 bytes'],
    [
      'a header beyond the file',
      fileOf({ a: entry }, eight).slice(0, 30),
      'truncated: header length',
    ],
    [
      'a header of 2^63 bytes',
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 128, 1, 2),
      'not a safetensors file: it begins with the bytes 00 00 00 00 00 00 00 80 01 02',
    ],
    [
      'a header of 2^40 bytes',
      Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 0, 123, 125),
      'not a safetensors file: it begins with the bytes 00 00 00 00 00 01 00 00 7b 7d',
    ],
    [
      'eight bytes of a text',
      Buffer.from('Not one.'),
      'not a safetensors file: it begins with the text "Not one."',
    ],
    [
      'a header beyond the file that is none',
      Uint8Array.of(200, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x4b, 1, 2, 3, 4, 5),
      'not a safetensors file: it begins with the bytes c8 00 00 00 00 00 00 00 50 4b 01 02',
    ],
    ['a header that is not JSON', fileOf('{"a":'), 'the header at byte 8 is not JSON'],
    ['a header that is a list', fileOf([]), 'the header at byte 8 is not a JSON object'],
    ['a tensor beyond the file', fileOf({ a: entry }, new Uint8Array(7)), 'tensor a at bytes'],
    [
      'an end before its begin',
      fileOf({ a: { ...entry, data_offsets: [8, 0] } }, eight),
      'tensor a at bytes',
    ],
    [
      'a negative offset',
      fileOf({ a: { ...entry, data_offsets: [-8, 0] } }, eight),
      'no valid data_offsets: [-8,0]',
    ],
    [
      'an offset that is text',
      fileOf({ a: { ...entry, data_offsets: ['0', 8] } }, eight),
      'no valid data_offsets',
    ],
    [
      'a shape that does not fit',
      fileOf({ a: { ...entry, shape: [3] } }, eight),
      'expected 12 bytes for F32 [3], got 8',
    ],
    [
      'a shape that overflows',
      fileOf({ a: { ...entry, shape: [2 ** 40, 2 ** 40] } }, eight),
      'tensor a expected',
    ],
    ['a negative size', fileOf({ a: { ...entry, shape: [-2] } }, eight), 'no valid shape: [-2]'],
    ['a dtype that is no text', fileOf({ a: { ...entry, dtype: 4 } }, eight), 'no valid dtype: 4'],
    ['an entry that is null', fileOf({ a: null }), 'tensor a has no valid dtype: undefined'],
    [
      'an unknown dtype beyond the file',
      fileOf({ a: { ...entry, dtype: 'Q4', data_offsets: [0, 9] } }, eight),
      'is outside the file',
    ],
    [
      'eight bits that are not as many as the shape has',
      fileOf({ a: { ...entry, dtype: 'F8_E4M3' } }, eight),
      'expected 2 bytes for F8_E4M3 [2], got 8',
    ],
    [
      'two tensors that overlap',
      fileOf({ a: entry, b: { ...entry, data_offsets: [4, 12] } }, new Uint8Array(12)),
      'tensors a and b overlap at byte',
    ],
    [
      'metadata that is not text',
      fileOf({ __metadata__: { x: 1 } }),
      '__metadata__ x is not a string',
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parse(bytes)).toThrow(FormatError);
    expect(() => parse(bytes)).toThrow(message);
    expect(() => parse(bytes)).toThrow(/^file: /);
  });

  it('refuses to read integers as weights, and missing tensors', () => {
    const file = parse(fileOf({ a: { ...entry, dtype: 'I64', shape: [1] } }, eight));
    expect(() => file.read('a')).toThrow('tensor a has dtype I64, expected F32, F16, BF16 or F64');
    expect(() => file.read('b')).toThrow('tensor b is missing');
  });

  it.each(['F8_E4M3', 'F8_E5M2', 'F4', 'F6_E2M3', 'C64', 'Q4', 'constructor'])(
    'keeps a tensor of %s, beside others that are read, and refuses to read it alone',
    (dtype) => {
      const bytes = dtype === 'C64' ? 16 : 2;
      const header = {
        a: { dtype, shape: [2], data_offsets: [0, bytes] },
        b: { dtype: 'F32', shape: [1], data_offsets: [bytes, bytes + 4] },
      };
      const data = Buffer.alloc(bytes + 4);
      data.writeFloatLE(1.5, bytes);
      const file = parse(fileOf(header, data));
      expect(file.tensors.get('a')).toMatchObject({ dtype, shape: [2] });
      expect(file.bytes('a')).toHaveLength(bytes);
      expect([...file.read('b')]).toEqual([1.5]);
      expect(() => file.read('a')).toThrow(
        `file: tensor a has dtype ${dtype}, expected F32, F16, BF16 or F64`,
      );
    },
  );

  it('ends in a FormatError or a load for any damage to a file', () => {
    const good = writeSafetensors({
      'layer.weight': { shape: [2, 3], data: new Float32Array(6) },
      'layer.bias': { shape: [2], data: new Float32Array(2) },
    });
    const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(damage, fc.nat(good.length), (changes, length) => {
        const bytes = good.slice(0, length % 3 === 0 ? length : good.length);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        try {
          const file = parse(bytes);
          for (const [name, { dtype }] of file.tensors) if (dtype === 'F32') file.read(name);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('writeSafetensors', () => {
  it('writes what parseSafetensors reads: names, shapes, values, metadata beyond ASCII', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((n) => n !== '__metadata__' && n !== '__proto__' && !/^\d+$/.test(n));
    fc.assert(
      fc.property(
        fc.dictionary(name, fc.array(fc.float({ noNaN: true }))),
        name,
        (arrays, note) => {
          const tensors = Object.fromEntries(
            Object.entries(arrays).map(([key, values]) => [
              key,
              { shape: [values.length], data: Float32Array.from(values) },
            ]),
          );
          const file = parse(writeSafetensors(tensors, { note }));
          expect(file.metadata.get('note')).toBe(note);
          expect([...file.tensors.keys()].sort()).toEqual(Object.keys(tensors).sort());
          for (const [key, { data }] of Object.entries(tensors))
            expect(file.read(key)).toEqual(data);
        },
      ),
    );
  });
});
