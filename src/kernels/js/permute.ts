/**
 * Transposition of an array of any rank, picture by picture: out[i₀, i₁, …] = x[j₀, j₁, …] with
 * jₒᵣdₑᵣ₍ₖ₎ = iₖ. Example, a channel shuffle: [pixels, groups, C/groups] in the order 0, 2, 1.
 *
 * Axes of extent 1 are dropped, and axes that stay next to each other are merged. So few loops are left.
 */

/** Nested loops, in the order of `out`: how often each runs, and its step in `x` and in `out`. */
export interface Permutation {
  readonly counts: readonly number[];
  readonly strides: readonly number[];
  readonly outStrides: readonly number[];
  /** Elements of a picture. */
  readonly size: number;
}

/**
 * @param extents of `x`
 * @param order axis k of `out` is axis order[k] of `x`
 * @returns at least four loops; none for the identity
 */
export function permutationOf(extents: readonly number[], order: readonly number[]): Permutation {
  const size = sizeOf(extents);
  const strideOf = (axis: number): number => sizeOf(extents.slice(axis + 1));
  const merged: [count: number, stride: number][] = [];
  for (const axis of order) {
    const count = extents[axis]!;
    if (count === 1) continue;
    const outer = merged.at(-1);
    if (outer && outer[1] === count * strideOf(axis)) {
      merged[merged.length - 1] = [outer[0] * count, strideOf(axis)];
    } else {
      merged.push([count, strideOf(axis)]);
    }
  }
  if (merged.length < 2) return { counts: [], strides: [], outStrides: [], size };
  while (merged.length < 4) merged.unshift([1, 0]);
  const counts = merged.map(([count]) => count);
  const strides = merged.map(([, stride]) => stride);
  const outStrides = counts.map((_, k) => sizeOf(counts.slice(k + 1)));
  // The longer of the two inner loops goes inside.
  const last = counts.length - 1;
  if (counts[last - 1]! > counts[last]!) {
    for (const list of [counts, strides, outStrides]) list.push(...list.splice(last - 1, 1));
  }
  return { counts, strides, outStrides, size };
}

function sizeOf(extents: readonly number[]): number {
  return extents.reduce((product, extent) => product * extent, 1);
}

/** @param out [N, size], overwritten; not `x`; @param x [N, size] */
export function permute(
  out: Float32Array,
  x: Float32Array,
  N: number,
  permutation: Permutation,
): void {
  const { counts, size } = permutation;
  for (let n = 0; n < N; n++) {
    if (counts.length === 0) {
      for (let i = n * size; i < (n + 1) * size; i++) out[i] = x[i]!;
    } else {
      permuteFrom(out, n * size, x, n * size, 0, permutation);
    }
  }
}

/** The loops starting at `axis`. */
function permuteFrom(
  out: Float32Array,
  o: number,
  x: Float32Array,
  i: number,
  axis: number,
  permutation: Permutation,
): void {
  const { counts, strides, outStrides } = permutation;
  if (axis + 4 < counts.length) {
    for (let k = 0; k < counts[axis]!; k++) {
      const to = o + k * outStrides[axis]!;
      permuteFrom(out, to, x, i + k * strides[axis]!, axis + 1, permutation);
    }
    return;
  }
  const stride = strides[axis + 3]!;
  const outStride = outStrides[axis + 3]!;
  const count = counts[axis + 3]!;
  for (let j = 0; j < counts[axis]!; j++) {
    for (let k = 0; k < counts[axis + 1]!; k++) {
      const outBase = o + j * outStrides[axis]! + k * outStrides[axis + 1]!;
      const base = i + j * strides[axis]! + k * strides[axis + 1]!;
      for (let l = 0; l < counts[axis + 2]!; l++) {
        const to = outBase + l * outStrides[axis + 2]!;
        const from = base + l * strides[axis + 2]!;
        for (let m = 0; m < count; m++) out[to + m * outStride] = x[from + m * stride]!;
      }
    }
  }
}
