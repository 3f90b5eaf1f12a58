/**
 * Divides a picture into horizontal strips, and says which rows of each value a strip computes.
 *
 * Every row of every value is computed once. A 3×3 convolution needs the row below, so it ends a row before its input
 * does, and the next layers end earlier and earlier. The rows that a later strip still reads (the *halo*) are kept:
 *
 *      strip 0                     strip 1
 *   picture     ████████████      ▒▒████████████          █ computed now
 *   layer 1     ██████████        ▒▒▒▒████████████        ▒ kept from before
 *   layer 2     ████████          ▒▒▒▒████████████
 *
 * So no border is computed twice, and each layer does exactly what it does for the whole picture. Winograd's algorithm
 * computes four rows together, and its rounding depends on a row's place among them: blocks of such layers begin at
 * multiples of four rows.
 */

import { conv2dShape } from '../kernels/operators.js';
import { algorithmOf } from '../kernels/wasm/conv2d.js';
import type { Graph, Node, ValueShape } from '../model/graph/node.js';
import { isConv } from '../model/graph/operators/conv.js';
import { windowOf } from './reach.js';
import type { Part } from './trunk.js';

/** Rows of a tile of Winograd’s algorithm. */
const TILE_ROWS = 4;

/** The fused graph of a whole picture, with its taps, and what its parts are. */
export interface DividedGraph {
  readonly graph: Graph;
  readonly parts: readonly Part[];
  /** Shapes of all values for the whole picture. */
  readonly shapes: readonly ValueShape[];
  /** The product of all strides. */
  readonly stride: number;
}

/** For each strip and each value, the end of the rows that are computed by then; 0 for values that have no rows. */
export type RowEnds = readonly (readonly number[])[];

/**
 * @param pixels of the picture that a strip should have, about
 */
export function rowEndsOf(divided: DividedGraph, pixels: number): RowEnds {
  const { graph, parts, shapes, stride } = divided;
  const { H, W } = shapes[0]!;
  // Then all strips but the first and the last ones have the same rows, and one plan serves them.
  const unit = TILE_ROWS * stride;
  const step = unit * Math.max(1, Math.floor(pixels / W / unit));
  const holds = graph.nodes.map((node, i) =>
    parts[i] === 'rows' ? holdOf(node, shapes[i]!) : undefined,
  );
  const strips: number[][] = [];
  let before: readonly number[] = graph.nodes.map(() => 0);
  for (let end = Math.min(step, H); ; end = Math.min(end + step, H)) {
    const ends: number[] = [];
    for (const i of graph.nodes.keys()) {
      if (parts[i] !== 'rows') ends.push(0);
      else if (i === 0) ends.push(end);
      else {
        const last = lastRowEnd(divided, ends, i);
        ends.push(holds[i]?.(before[i]!, last) ?? Math.max(before[i]!, last));
      }
    }
    strips.push(ends);
    before = ends;
    if (end === H) return strips;
  }
}

/** The end of the rows of value `i` that can be computed from the rows of its inputs. */
function lastRowEnd(
  { graph, parts, shapes }: DividedGraph,
  ends: readonly number[],
  i: number,
): number {
  const { operator, inputs } = graph.nodes[i]!;
  const { H } = shapes[i]!;
  const lasts = inputs.map((value, k) => {
    const inputEnd = ends[value]!;
    if (parts[value] !== 'rows' || inputEnd === shapes[value]!.H) return H;
    const window = k === 0 ? windowOf(operator) : undefined;
    if (!window) return inputEnd;
    return Math.floor((inputEnd - 1 - window.reach + window.pad) / window.stride) + 1;
  });
  return Math.min(H, ...lasts);
}

/**
 * For a convolution that Winograd's algorithm computes: holds rows back until there is a block that begins and ends at
 * multiples of four, and for which the same algorithm is chosen as for the whole picture.
 */
function holdOf(
  { operator }: Node,
  { H, W }: ValueShape,
): ((before: number, last: number) => number) | undefined {
  if (!isConv(operator)) return undefined;
  const { extents, strideY, strideX, dilationY, dilationX } = operator;
  if (extents.kH !== 3 || extents.kW !== 3 || strideY * dilationY > 1) return undefined;
  const rule = { ...extents, strideY, strideX, dilationY, dilationX, N: 1, padY: 0, padX: 0 };
  const wide = (W - 1) * strideX + 2 * dilationX + 1;
  const isWinograd = (rows: number): boolean =>
    algorithmOf(conv2dShape({ ...rule, H: rows + 2, W: wide }), false, true) === 'winograd';
  const isChecked = isWinograd(H);
  return (before, last) => {
    if (last === H) return H;
    let end = TILE_ROWS * Math.floor(last / TILE_ROWS);
    while (isChecked && end > before && !(isWinograd(end - before) && isWinograd(H - end))) {
      end -= TILE_ROWS;
    }
    return Math.max(before, end);
  };
}

/**
 * For each value, the first row that strip `s` or a later one reads, at most the first row that strip `s` computes.
 */
export function haloBegins({ graph, parts }: DividedGraph, ends: RowEnds, s: number): number[] {
  const done = (value: number): number => (s === 0 ? 0 : ends[s - 1]![value]!);
  const begins = graph.nodes.map((_, i) => done(i));
  for (const [i, { operator, inputs }] of graph.nodes.entries()) {
    if (parts[i] !== 'rows') continue;
    for (const [k, value] of inputs.entries()) {
      const [first] = rowsRead(operator, k, done(i), done(i) + 1);
      begins[value] = Math.min(begins[value]!, Math.max(first, 0));
    }
  }
  return begins;
}

/** The rows of input `k` that rows `begin` … `end − 1` of an operator read; they may be outside of it. */
export function rowsRead(
  operator: Node['operator'],
  k: number,
  begin: number,
  end: number,
): readonly [begin: number, end: number] {
  const window = k === 0 ? windowOf(operator) : undefined;
  if (!window) return [begin, end];
  const { stride, pad, reach } = window;
  return [begin * stride - pad, (end - 1) * stride - pad + reach + 1];
}
