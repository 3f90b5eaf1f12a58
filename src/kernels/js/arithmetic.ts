/**
 * Arithmetic of two values, NHWC: out[n, y, x, c] = a[n, y, x, c] ∘ b[n, y, x, c]. An axis of extent 1 is repeated
 * to the extent of the other value, as in ONNX and NumPy; only N is never repeated: both values have N pictures.
 *
 *   add a + b    sub a − b    mul a·b    div a/b    max, min    pow aᵇ
 *
 * Computed in doubles and rounded once. A NaN in either gives NaN. Axes along which both values move in the same way
 * are merged first, so that the inner loop is long; with equal extents it is the only loop. Each operation has its
 * own inner loop, for the reason given in activation.ts.
 */

export type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'pow';

/** Four nested loops, the innermost last: how often each runs, and its step in `a` and in `b`. */
export interface Broadcast {
  readonly counts: readonly number[];
  readonly aStrides: readonly number[];
  readonly bStrides: readonly number[];
}

type Extents = readonly [H: number, W: number, C: number];

/** The loops over N pictures. @param a extents for one picture; each equals that of `b`, or one of the two is 1 */
export function broadcastOf(N: number, a: Extents, b: Extents): Broadcast {
  const axes = [N, ...a].map((extent, i) => Math.max(extent, [N, ...b][i]!));
  const aStrides = stridesOf([N, ...a]);
  const bStrides = stridesOf([N, ...b]);
  const merged: [count: number, a: number, b: number][] = [];
  for (let i = axes.length - 1; i >= 0; i--) {
    if (axes[i] === 1) continue;
    const inner = merged[0];
    // A full run of the inner loop is one step of this loop, so the two are one loop.
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

/** Strides of a row-major array; 0 along an axis of extent 1, because it is repeated. */
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
 * @param out the larger of both extents along each axis, overwritten; may be an operand of this size
 * @param broadcast the result of `broadcastOf` for the extents of `a` and `b`
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

/** The inner loop: `count` elements of `out`, starting at `o`. */
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
