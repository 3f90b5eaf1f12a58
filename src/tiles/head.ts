/** The part of a network after its means, which are added up strip by strip: sums in doubles, in the order of the pixels. */

import type { Graph, Node, ValueShape } from '../model/graph/node.js';
import type { AdaptiveMean } from '../model/graph/operators/adaptive-mean.js';
import { input } from '../model/graph/operators/input.js';
import { plan } from '../model/graph/plan.js';
import type { Network } from '../model/index.js';
import { held } from './rows-operators.js';
import type { DividedGraph } from './strips.js';

/** A mean over the windows of a map, to which rows are added as they are computed. */
export class StreamedMean {
  /** [H, W, C] of the mean. */
  readonly shape: ValueShape;
  /** The sum of each window and channel. */
  readonly sums: Float64Array;
  readonly #from: ValueShape;

  /** @param from extents of the whole map */
  constructor({ H, W }: AdaptiveMean, from: ValueShape) {
    this.shape = { H, W, C: from.C };
    this.sums = new Float64Array(H * W * from.C);
    this.#from = from;
  }

  /** Adds rows of the map, [rows, W, C], of which the first is row `top`. The rows must come in order. */
  add(x: Float32Array, top: number): void {
    const { W, C } = this.#from;
    for (let y = 0; y < x.length / (W * C); y++) {
      for (let oy = 0; oy < this.shape.H; oy++) {
        const [first, last] = this.#window(oy, 'H');
        if (top + y >= first && top + y < last) this.#addRow(x, y * W * C, oy);
      }
    }
  }

  #addRow(x: Float32Array, base: number, oy: number): void {
    const { H: _, W: Wout, C } = this.shape;
    const { sums } = this;
    for (let ox = 0; ox < Wout; ox++) {
      const [left, right] = this.#window(ox, 'W');
      const o = (oy * Wout + ox) * C;
      for (let ix = left; ix < right; ix++) {
        const column = base + ix * C;
        for (let c = 0; c < C; c++) sums[o + c]! += x[column + c]!;
      }
    }
  }

  /** The rows or columns of window `o`. */
  #window(o: number, axis: 'H' | 'W'): readonly [first: number, end: number] {
    const [n, count] = [this.#from[axis], this.shape[axis]];
    return [Math.floor((o * n) / count), Math.ceil(((o + 1) * n) / count)];
  }

  /** Writes the means, [H, W, C]. */
  write(out: Float32Array): void {
    const { H, W, C } = this.shape;
    for (let oy = 0; oy < H; oy++) {
      for (let ox = 0; ox < W; ox++) {
        const [top, bottom] = this.#window(oy, 'H');
        const [left, right] = this.#window(ox, 'W');
        const count = (bottom - top) * (right - left);
        const o = (oy * W + ox) * C;
        for (let c = 0; c < C; c++) out[o + c] = this.sums[o + c]! / count;
      }
    }
  }
}

/** Runs the nodes after the means. @returns the logits */
export function runHead(
  net: Network,
  divided: DividedGraph,
  means: ReadonlyMap<number, StreamedMean>,
): Float32Array {
  const { graph, parts } = divided;
  const nodes: Node[] = [{ name: 'means', operator: input(1), inputs: [] }];
  const placed = new Map<number, number>();
  // They come first, so that no step's result is stored in their place.
  for (const [value, { shape }] of means) {
    const operator = held(shape, { nonNegative: false, sparse: false });
    placed.set(value, nodes.push({ name: graph.nodes[value]!.name, operator, inputs: [] }) - 1);
  }
  for (const [i, node] of graph.nodes.entries()) {
    if (parts[i] !== 'head' && parts[i] !== 'constant') continue;
    const inputs = node.inputs.map((value) => placed.get(value)!);
    placed.set(i, nodes.push({ ...node, inputs }) - 1);
  }
  const output = placed.get(graph.output)!;
  const head: Graph = { nodes, output, classes: graph.classes };
  const pass = net.pass('tiles: head', () => ({
    plan: plan({ graph: head, ends: [], kept: [output] }, [1, 1, 1]),
  }));
  // Each of the first nodes has its own buffer.
  for (const [value, mean] of means) mean.write(pass.buffer(placed.get(value)!));
  pass.run();
  return pass.buffer(pass.plan.kept[0]!.buffer).slice();
}
