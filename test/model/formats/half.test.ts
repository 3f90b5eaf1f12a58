import { describe, expect, it } from 'vitest';
import { decodeHalves } from '../../../src/model/formats/half.js';
import { encodeHalves, HALF_OVERFLOW } from '../../../src/node/stored-tensor.js';

function encode(...values: number[]): number[] {
  const bytes = new Uint8Array(2 * values.length);
  encodeHalves(bytes, Float32Array.from(values));
  return values.map((_, i) => bytes[2 * i]! | (bytes[2 * i + 1]! << 8));
}

function decode(half: number): number {
  const out = new Float32Array(1);
  decodeHalves(out, Uint8Array.of(half & 255, half >> 8));
  return out[0]!;
}

const next = (x: number, by: number): number => {
  const bits = new Int32Array(Float32Array.of(x).buffer);
  bits[0]! += by;
  return new Float32Array(bits.buffer)[0]!;
};

describe('encodeHalves', () => {
  it('gives back every one of the 65536 halves; all NaNs become one', () => {
    const halves = Array.from({ length: 65536 }, (_, half) => half);
    const isNan = (half: number) => (half & 0x7c00) === 0x7c00 && (half & 1023) !== 0;
    const back = halves.map((half) => encode(decode(half))[0]! & (isNan(half) ? 0x7fff : 0xffff));
    expect(back).toEqual(halves.map((half) => (isNan(half) ? 0x7e00 : half)));
  });

  it('rounds to the nearest, ties to even, between any two neighbours, also subnormals', () => {
    const halves = Array.from({ length: 0x7bff }, (_, half) => half);
    // Exact in float32: two halves have a bit between them.
    const middles = halves.map((half) => (decode(half) + decode(half + 1)) / 2);
    const expected = halves.map((half) => [half, half + (half & 1), half + 1]);
    expect(middles.map((x) => encode(next(x, -1), x, next(x, 1)))).toEqual(expected);
    expect(middles.map((x) => encode(next(-x, -1), -x, next(-x, 1)))).toEqual(
      expected.map((three) => three.map((half) => half | 0x8000)),
    );
  });

  it('turns 65520 and more into infinity, numbers just below into 65504, and the smallest into zero', () => {
    expect(HALF_OVERFLOW).toBe(65520);
    expect(encode(65520, 1e38, Infinity, -65520, -Infinity)).toEqual([
      ...[0x7c00, 0x7c00, 0x7c00, 0xfc00, 0xfc00],
    ]);
    expect(encode(next(65520, -1), -65504)).toEqual([0x7bff, 0xfbff]);
    expect(encode(2 ** -25, next(2 ** -25, 1), -(2 ** -149), -0)).toEqual([0, 1, 0x8000, 0x8000]);
  });
});
