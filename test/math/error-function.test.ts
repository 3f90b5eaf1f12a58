import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { erf, erfc } from '../../src/math/index.js';

/*
 * The oracle: the Taylor series erf(x) = 2/√π · Σ (−1)ⁿ x²ⁿ⁺¹ / (n!·(2n+1)) in fixed-point integers
 * with 3072 fractional bits. At x = 27 the terms grow to e⁷²⁹ = 2¹⁰⁵² and erfc is 2⁻¹⁰⁵⁷, so some
 * 2000 bits are left below the first one that counts. It shares nothing with Cody's rationals.
 */
const BITS = 3072n;
const ONE = 1n << BITS;
/** Arguments are whole multiples of 2⁻⁴⁰, which both sides then hold exactly. */
const GRID_BITS = 40;

function sqrtInteger(n: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(n.toString(2).length / 2)); // from above, Newton only falls
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** arctan(1/k), fixed point. */
function arctanInverse(k: bigint): bigint {
  let sum = 0n;
  let power = ONE / k;
  for (let n = 1n; power !== 0n; n += 2n) {
    sum += n % 4n === 1n ? power / n : -power / n;
    power /= k * k;
  }
  return sum;
}

/** Machin: π = 16·arctan(1/5) − 4·arctan(1/239). */
const PI = 16n * arctanInverse(5n) - 4n * arctanInverse(239n);
const SQRT_PI = sqrtInteger(PI << BITS);

function erfFixed(x: number): bigint {
  const fixed = BigInt(x * 2 ** GRID_BITS) << (BITS - BigInt(GRID_BITS));
  const square = (fixed * fixed) >> BITS;
  let term = fixed;
  let sum = fixed;
  for (let n = 1n; term !== 0n; n++) {
    term = -((term * square) >> BITS) / n;
    sum += term / (2n * n + 1n);
  }
  return ((2n * sum) << BITS) / SQRT_PI;
}

/** The double nearest to a fixed-point number, except for its last bit. */
function toNumber(fixed: bigint): number {
  const negative = fixed < 0n;
  const magnitude = negative ? -fixed : fixed;
  const drop = magnitude.toString(2).length - 62;
  const leading = Number(drop > 0 ? magnitude >> BigInt(drop) : magnitude);
  // In two factors: 2^(drop − 3072) alone may underflow where the product does not.
  const exponent = Math.max(drop, 0) - Number(BITS);
  const half = Math.trunc(exponent / 2);
  return (negative ? -1 : 1) * leading * 2 ** half * 2 ** (exponent - half);
}

const onGrid = (x: number) => Math.round(x * 2 ** GRID_BITS) / 2 ** GRID_BITS;

/** A sweep that meets each of Cody's three ranges, and both sides of their seams. */
const sweep = [
  ...Array.from({ length: 100 }, (_, i) => i / 4 + 1e-2 * i),
  ...[0.46875, 4].flatMap((seam) => [seam - 2 ** -40, seam, seam + 2 ** -40]),
  2 ** -40,
  1e-6,
  0.1,
  26.2,
]
  .map(onGrid)
  .map((x) => ({ x, fixed: erfFixed(x) }));

describe('erf and erfc', () => {
  test('erf is within 1e-15 (relative) of a 3072-bit Taylor series on [−26, 26]', () => {
    for (const { x, fixed } of sweep) {
      const exact = toNumber(fixed);
      expect(Math.abs(erf(x) - exact), `erf(${x})`).toBeLessThanOrEqual(1e-15 * exact);
      expect(erf(-x)).toBe(-erf(x));
    }
  });

  test('erfc is within 1e-15 (relative) of a 3072-bit Taylor series on [−26, 26], its tail included', () => {
    for (const { x, fixed } of sweep) {
      const exact = toNumber(ONE - fixed);
      expect(Math.abs(erfc(x) - exact), `erfc(${x})`).toBeLessThanOrEqual(1e-15 * exact);
      const mirrored = toNumber(ONE + fixed);
      expect(Math.abs(erfc(-x) - mirrored), `erfc(${-x})`).toBeLessThanOrEqual(1e-15 * mirrored);
    }
  });

  test('erf + erfc = 1 within 2 units in the last place of 1, for any x', () => {
    fc.assert(
      fc.property(fc.double({ min: -30, max: 30, noNaN: true }), (x) => {
        expect(Math.abs(erf(x) + erfc(x) - 1)).toBeLessThanOrEqual(2 * Number.EPSILON);
      }),
    );
  });

  test('erf rises and erfc falls between any two float32 numbers', () => {
    const float = fc.float({ min: -27, max: 27, noNaN: true });
    fc.assert(
      fc.property(float, float, (a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        expect(erf(low)).toBeLessThanOrEqual(erf(high));
        expect(erfc(low)).toBeGreaterThanOrEqual(erfc(high));
      }),
    );
  });

  test('the ends are exact, and NaN stays NaN', () => {
    expect(erf(0)).toBe(0);
    expect(Object.is(erf(-0), -0)).toBe(true);
    expect(erf(Number.MIN_VALUE)).toBeLessThanOrEqual(2 * Number.MIN_VALUE);
    expect(erf(Infinity)).toBe(1);
    expect(erf(-Infinity)).toBe(-1);
    expect(erfc(0)).toBe(1);
    expect(erfc(Infinity)).toBe(0);
    expect(erfc(-Infinity)).toBe(2);
    expect(erfc(40)).toBe(0);
    expect(erfc(26.6)).toBeGreaterThan(0);
    expect(erf(NaN)).toBeNaN();
    expect(erfc(NaN)).toBeNaN();
  });
});
