/**
 * Arithmetic of two values, NHWC: out[n, y, x, c] = a[n, y, x, c] ∘ b[n, y, x, c], where an axis of extent 1 is
 * repeated along the other's (ONNX's and NumPy's broadcasting, but for the pictures, of which both have N).
 *
 *   add a + b    sub a − b    mul a·b    div a/b    max, min    pow aᵇ
 *
 * Computed in doubles and rounded once. A NaN in either gives NaN. Axes that both walk in the same way are merged
 * first, so that the inner loop is long: of equal extents it is all there is. Each operation has an inner loop
 * of its own, as activation functions have (activation.ts tells why).
 */

export type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'pow';

/** Four nested loops, the innermost last: how often each runs, and how far it moves in `a` and in `b`. */
export interface Broadcast {
  readonly counts: readonly number[];
  readonly aStrides: readonly number[];
  readonly bStrides: readonly number[];
}

type Extents = readonly [H: number, W: number, C: number];

/** The loops over N pictures. @param a extents of a picture's value; each is that of `b`, or one of them is 1 */
export function broadcastOf(N: number, a: Extents, b: Extents): Broadcast {
  const axes = [N, ...a].map((extent, i) => Math.max(extent, [N, ...b][i]!));
  const aStrides = stridesOf([N, ...a]);
  const bStrides = stridesOf([N, ...b]);
  const merged: [count: number, a: number, b: number][] = [];
  for (let i = axes.length - 1; i >= 0; i--) {
    if (axes[i] === 1) continue;
    const inner = merged[0];
    // A whole turn of the inner loop is one step of this one: they are one loop.
    if (inner && aStrides[i] === inner[0] * inner[1] && bStrides[i] === inner[0] * inner[2]) {
      inner[0] *= axes[i]!;
    } else {
      merged.unshift([axes[i]!, aStrides[i]!, bStrides[i]!]);
    }
  }
  while (merged.length < axes.length) merged.unshift([1, 0, 0]);
  return {
    counts: merged.map(([count]) => count),
    aStrides: merged.map(([, stride]) => stride),
    bStrides: merged.map(([, , stride]) => stride),
  };
}

/** Of a row-major array; 0 along an axis of extent 1, which stays where it is. */
function stridesOf(extents: readonly number[]): number[] {
  let size = 1;
  const strides: number[] = [];
  for (let i = extents.length - 1; i >= 0; i--) {
    strides[i] = extents[i] === 1 ? 0 : size;
    size *= extents[i]!;
  }
  return strides;
}

/**
 * @param out the extents of both together, overwritten; may be an operand that has them all
 * @param broadcast of the extents of `a` and `b`
 */
export function arithmetic(
  out: Float32Array,
  a: Float32Array,
  b: Float32Array,
  kind: Arithmetic,
  { counts, aStrides, bStrides }: Broadcast,
): void {
  const row = ROWS[kind];
  const count = counts[3]!;
  const aStep = aStrides[3]!;
  const bStep = bStrides[3]!;
  let o = 0;
  for (let i = 0; i < counts[0]!; i++) {
    for (let j = 0; j < counts[1]!; j++) {
      const aBase = i * aStrides[0]! + j * aStrides[1]!;
      const bBase = i * bStrides[0]! + j * bStrides[1]!;
      for (let k = 0; k < counts[2]!; k++) {
        row(out, o, count, a, aBase + k * aStrides[2]!, aStep, b, bBase + k * bStrides[2]!, bStep);
        o += count;
      }
    }
  }
}

/** The inner loop: `count` elements of `out` from `o` on. */
type Row = (
  out: Float32Array,
  o: number,
  count: number,
  a: Float32Array,
  ia: number,
  aStep: number,
  b: Float32Array,
  ib: number,
  bStep: number,
) => void;

const ROWS: Readonly<Record<Arithmetic, Row>> = {
  add(out, o, count, a, ia, aStep, b, ib, bStep) {
    for (let i = 0; i < count; i++) out[o + i] = a[ia + i * aStep]! + b[ib + i * bStep]!;
  },
  sub(out, o, count, a, ia, aStep, b, ib, bStep) {
    for (let i = 0; i < count; i++) out[o + i] = a[ia + i * aStep]! - b[ib + i * bStep]!;
  },
  mul(out, o, count, a, ia, aStep, b, ib, bStep) {
    for (let i = 0; i < count; i++) out[o + i] = a[ia + i * aStep]! * b[ib + i * bStep]!;
  },
  div(out, o, count, a, ia, aStep, b, ib, bStep) {
    for (let i = 0; i < count; i++) out[o + i] = a[ia + i * aStep]! / b[ib + i * bStep]!;
  },
  max(out, o, count, a, ia, aStep, b, ib, bStep) {
    for (let i = 0; i < count; i++) out[o + i] = Math.max(a[ia + i * aStep]!, b[ib + i * bStep]!);
  },
  min(out, o, count, a, ia, aStep, b, ib, bStep) {
    for (let i = 0; i < count; i++) out[o + i] = Math.min(a[ia + i * aStep]!, b[ib + i * bStep]!);
  },
  pow(out, o, count, a, ia, aStep, b, ib, bStep) {
    for (let i = 0; i < count; i++) out[o + i] = a[ia + i * aStep]! ** b[ib + i * bStep]!;
  },
};
