/**
 * Noisy linear imputation of ROAD (Rong et al., arXiv 2202.00449): pixels that were removed from a picture are filled so
 * that each is the weighed mean of its eight neighbours, and gets some noise,
 *
 *   Σ_q w_pq·(x_p − x_q) = 0,   w = 1/6 for the four direct neighbours, 1/12 for the four diagonal ones
 *
 * A neighbour beyond an edge is left out. Known neighbours make the right side of the system, removed ones its matrix,
 * which is symmetric and positive definite if any pixel is known.
 *
 * Method: conjugate gradients until |residual| ≤ 1e-5·|right side|. The preconditioner works at all sizes at once, as
 * that of Bramble, Pasciak and Xu (Mathematics of Computation 55, 1990, 1–22): removed pixels are grouped into squares of
 * 1, 2, 4, … pixels a side; at each size the residuals of a square are added and divided by the weights that join it to
 * the pixels outside. So a hole of 128 × 128 pixels takes some 60 iterations, not 500 (measured).
 */

import { expectWhole, ShapeError } from '../errors.js';

const DIRECT = 1 / 6;
const DIAGONAL = 1 / 12;

/** When the iterations end: |residual| over |right side|. */
const TOLERANCE = 1e-5;
/** More than any picture needed; they end so if rounding keeps the residual up. */
const MOST_ITERATIONS = 2000;

/**
 * Fills the removed pixels without noise. If no pixel is known, all become 0.
 *
 * @param out [H, W, C], overwritten; it may be `x`
 * @param x [H, W, C]; the values of removed pixels are not read
 * @param removed [H, W], other than 0 where a pixel is removed
 * @throws {ShapeError} if the lengths do not fit
 */
export function linearImputation(
  out: Float32Array,
  x: Float32Array,
  removed: Uint8Array,
  [H, W, C]: readonly [number, number, number],
): void {
  expectWhole('linearImputation', { H, W, C });
  for (const [name, got, expected] of [
    ['out', out.length, H * W * C],
    ['x', x.length, H * W * C],
    ['removed', removed.length, H * W],
  ] as const) {
    if (got === expected) continue;
    throw new ShapeError(`linearImputation: ${name} expected length ${expected}, got ${got}`);
  }
  const hole = holeOf(removed, H, W);
  const channel = new Float64Array(hole.width * (H + 2));
  for (let c = 0; c < C; c++) {
    for (let y = 0, p = 0; y < H; y++) {
      const row = (y + 1) * hole.width + 1;
      for (let i = row; i < row + W; i++, p++) channel[i] = removed[p] ? 0 : x[p * C + c]!;
    }
    if (hole.places.length < H * W) solve(channel, hole);
    for (let y = 0, p = 0; y < H; y++) {
      const row = (y + 1) * hole.width + 1;
      for (let i = row; i < row + W; i++, p++) out[p * C + c] = channel[i]!;
    }
  }
}

/** Removed pixels of a picture with a border of one pixel on all sides, so that no neighbour needs a check. */
interface Hole {
  /** Of a row with its borders. */
  readonly width: number;
  /** Places of the removed pixels. */
  readonly places: Uint32Array;
  /** The sum of the weights of the neighbours that are inside the picture, for each place. */
  readonly diagonal: Float64Array;
  /** Squares of 2, 4, … pixels a side. */
  readonly levels: readonly Level[];
}

interface Level {
  /** For each square or pixel of the level before: the square that contains it. */
  readonly parents: Uint32Array;
  /** For each square: the sum of the weights that join it to pixels outside. */
  readonly joints: Float64Array;
}

function holeOf(removed: Uint8Array, H: number, W: number): Hole {
  const pixels = new Uint32Array(removed.reduce((count, r) => count + (r ? 1 : 0), 0));
  for (let p = 0, i = 0; p < H * W; p++) if (removed[p]) pixels[i++] = p;
  const depth = Math.max(0, Math.ceil(Math.log2(Math.max(H, W))) - 1);
  const squares = squaresOf(pixels, H, W, depth);
  const diagonal = new Float64Array(pixels.length);
  const joints = squares.map(({ count }) => new Float64Array(count));
  for (let i = 0; i < pixels.length; i++) {
    const y = Math.floor(pixels[i]! / W);
    const x = pixels[i]! - y * W;
    for (let ny = Math.max(0, y - 1); ny <= Math.min(H - 1, y + 1); ny++) {
      for (let nx = Math.max(0, x - 1); nx <= Math.min(W - 1, x + 1); nx++) {
        if (nx === x && ny === y) continue;
        const weight = nx === x || ny === y ? DIRECT : DIAGONAL;
        diagonal[i]! += weight;
        const isKnown = !removed[ny * W + nx];
        // The highest bit in which they differ says from which size on both are in the same square.
        const apart = isKnown ? depth : 31 - Math.clz32((x ^ nx) | (y ^ ny));
        for (let l = 0; l < apart; l++) joints[l]![squares[l]!.of[i]!]! += weight;
      }
    }
  }
  const levels = squares.map(({ parents }, l) => ({ parents, joints: joints[l]! }));
  const places = pixels.map((p) => p + W + 3 + 2 * Math.floor(p / W));
  return { width: W + 2, places, diagonal, levels };
}

interface Squares {
  /** For each pixel: the square that contains it. */
  readonly of: Uint32Array;
  readonly parents: Uint32Array;
  readonly count: number;
}

/** The squares of each size that have removed pixels. */
function squaresOf(pixels: Uint32Array, H: number, W: number, depth: number): Squares[] {
  const sizes: Squares[] = [];
  for (let l = 1; l <= depth; l++) {
    const last = sizes.at(-1);
    const of = new Uint32Array(pixels.length);
    const parents = new Uint32Array(last?.count ?? pixels.length);
    const across = (W >> l) + 1;
    // One more than the index of the square there; 0 if it was not met.
    const met = new Uint32Array(across * ((H >> l) + 1));
    let count = 0;
    for (let i = 0; i < pixels.length; i++) {
      const y = Math.floor(pixels[i]! / W);
      const place = (y >> l) * across + ((pixels[i]! - y * W) >> l);
      if (met[place] === 0) met[place] = ++count;
      of[i] = met[place]! - 1;
      parents[last ? last.of[i]! : i] = of[i]!;
    }
    sizes.push({ of, parents, count });
  }
  return sizes;
}

/** Conjugate gradients. @param x with a border of 0, and 0 at the places, which are overwritten */
function solve(x: Float64Array, hole: Hole): void {
  const { width, places, diagonal } = hole;
  const n = places.length;
  const residual = new Float64Array(n);
  const image = new Float64Array(n);
  // In the layout of x, 0 outside of the hole.
  const direction = new Float64Array(x.length);
  const precondition = preconditioner(hole);
  neighbours(residual, x, places, width);
  const limit = TOLERANCE * lengthOf(residual);
  let along = 0;
  for (let k = 0; k < MOST_ITERATIONS && lengthOf(residual) > limit; k++) {
    const scaled = precondition(residual);
    let next = 0;
    for (let i = 0; i < n; i++) next += residual[i]! * scaled[i]!;
    const turn = k === 0 ? 0 : next / along;
    along = next;
    for (let i = 0; i < n; i++) {
      direction[places[i]!] = scaled[i]! + turn * direction[places[i]!]!;
    }
    neighbours(image, direction, places, width);
    let curvature = 0;
    for (let i = 0; i < n; i++) {
      const d = direction[places[i]!]!;
      image[i] = diagonal[i]! * d - image[i]!;
      curvature += d * image[i]!;
    }
    const step = along / curvature;
    for (let i = 0; i < n; i++) {
      x[places[i]!]! += step * direction[places[i]!]!;
      residual[i]! -= step * image[i]!;
    }
  }
}

/** @returns a function whose result is valid until its next call */
function preconditioner({ diagonal, levels }: Hole): (residual: Float64Array) => Float64Array {
  const sums = levels.map(({ joints }) => new Float64Array(joints.length));
  const out = new Float64Array(diagonal.length);
  return (residual) => {
    let finer = residual;
    for (const [l, { parents }] of levels.entries()) {
      const sum = sums[l]!.fill(0);
      for (let i = 0; i < parents.length; i++) sum[parents[i]!]! += finer[i]!;
      finer = sum;
    }
    for (let l = levels.length - 1; l >= 0; l--) {
      const [sum, { joints }] = [sums[l]!, levels[l]!];
      const coarser = levels[l + 1];
      for (let i = 0; i < sum.length; i++) {
        // A square that nothing joins to the outside has no equation of its own.
        const own = joints[i]! > 0 ? sum[i]! / joints[i]! : 0;
        sum[i] = own + (coarser ? sums[l + 1]![coarser.parents[i]!]! : 0);
      }
    }
    const [first] = levels;
    for (let i = 0; i < out.length; i++) {
      out[i] = residual[i]! / diagonal[i]! + (first ? sums[0]![first.parents[i]!]! : 0);
    }
    return out;
  };
}

/** The weighed sum of the eight neighbours of each place. */
function neighbours(out: Float64Array, x: Float64Array, places: Uint32Array, width: number): void {
  for (let i = 0; i < out.length; i++) {
    const at = places[i]!;
    const above = at - width;
    const below = at + width;
    const direct = x[above]! + x[below]! + x[at - 1]! + x[at + 1]!;
    const diagonal = x[above - 1]! + x[above + 1]! + x[below - 1]! + x[below + 1]!;
    out[i] = DIRECT * direct + DIAGONAL * diagonal;
  }
}

function lengthOf(x: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * x[i]!;
  return Math.sqrt(sum);
}
