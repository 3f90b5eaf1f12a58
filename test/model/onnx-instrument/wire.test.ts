import { fc, test } from '@fast-check/vitest';
import { PbfReader, PbfWriter } from 'pbf';
import { describe, expect, it } from 'vitest';
import { fieldsOf, Message, varintsOf } from '../../../src/model/onnx-instrument/wire.js';

const ints = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, 1, -1, 127, 128, 2 ** 28, 2 ** 32, 2 ** 35 - 1, 2 ** 53, -(2 ** 53)),
);
const whole = (bytes: Uint8Array) => ({ begin: 0, end: bytes.length });

describe('the wire format', () => {
  test.prop([ints, fc.integer({ min: 1, max: 2 ** 28 - 1 })])(
    'is written as pbf reads it, and read as pbf writes it: whole numbers up to 2^53',
    (value, number) => {
      const bytes = new Message().int(number, value).finish();
      const reader = new PbfReader(bytes);
      expect(reader.readVarint()).toBe(number * 8);
      expect(reader.readVarint(true)).toBe(value);
      const writer = new PbfWriter();
      writer.writeVarintField(number, value);
      expect(bytes).toEqual(writer.finish().slice());
      const [field] = fieldsOf(bytes, whole(bytes));
      expect(field).toMatchObject({ number, value, start: 0, end: bytes.length });
    },
  );

  test.prop([fc.string({ unit: 'grapheme', maxLength: 300 })])('texts are UTF-8', (text) => {
    const bytes = new Message().text(3, text).finish();
    const [field] = fieldsOf(bytes, whole(bytes));
    expect(Buffer.from(bytes.subarray(field!.begin, field!.end)).toString()).toBe(text);
  });

  test.prop([fc.array(ints, { maxLength: 20 })])(
    'repeated numbers may be packed or not',
    (values) => {
      const writer = new PbfWriter();
      writer.writePackedVarint(8, values);
      for (const value of values) writer.writeVarintField(8, value);
      const bytes = writer.finish().slice();
      const read = [...fieldsOf(bytes, whole(bytes))].flatMap((field) => [
        ...varintsOf(bytes, field),
      ]);
      expect(read).toEqual([...values, ...values]);
    },
  );

  it.each([
    ['a number without an end', [0x08, 0xff, 0xff], /^onnx: the number at byte 1 does not end$/],
    ['a number of eleven bytes', [8, ...new Array<number>(10).fill(0x80), 1], /does not end$/],
    [
      'a length beyond its message',
      [0x0a, 5, 1],
      /^onnx: field 1 at byte 0 has 5 bytes, of which 1/,
    ],
    ['a negative length', [0x0a, ...new Array<number>(9).fill(0xff), 1], /has -1 bytes/],
    ['four bytes that are cut off', [0x0d, 1, 2], /^onnx: field 1 at byte 0 is cut off$/],
    ['eight bytes that are cut off', [0x09, 1, 2], /is cut off$/],
    ['a group', [0x0b], /^onnx: field 1 at byte 0 has type 3, which is not read$/],
    ['field 0', [0x02, 0], /^onnx: byte 0 begins field 0, which protobuf has not$/],
  ])('refuses %s', (_, bytes, message) => {
    const file = Uint8Array.from(bytes);
    expect(() => [...fieldsOf(file, whole(file))]).toThrow(message);
  });
});
