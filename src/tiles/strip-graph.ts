/** The graph that computes one strip: the same steps as for the whole picture, over the rows that are due. */

import {
  type Graph,
  type Node,
  type Operator,
  rangesOf,
  type ValueRange,
} from '../model/graph/node.js';
import { isAdd } from '../model/graph/operators/add.js';
import { isConv } from '../model/graph/operators/conv.js';
import { windowOf } from './reach.js';
import { held, rows } from './rows-operators.js';
import { type DividedGraph, haloBegins, type RowEnds, rowsRead } from './strips.js';

/** Rows of a value in the strip's graph. */
export interface StripRows {
  /** The value in the whole graph. */
  readonly value: number;
  /** The node in the strip's graph. */
  readonly node: number;
  /** Its first row in the whole picture, and the number of rows. */
  readonly begin: number;
  readonly count: number;
}

export interface StripGraph {
  readonly graph: Graph;
  /** What must be written before the pass: rows that earlier strips computed. */
  readonly above: readonly StripRows[];
  /** What later strips read. */
  readonly below: readonly StripRows[];
  /** Rows of the wanted values that this strip computes. */
  readonly wanted: readonly StripRows[];
  /** The same for strips that one plan serves. */
  readonly key: string;
}

/** The graph of strip `s`. @param wanted values of the whole graph whose rows are needed */
export function stripGraph(
  divided: DividedGraph,
  ends: RowEnds,
  s: number,
  wanted: readonly number[],
): StripGraph {
  return new StripBuilder(divided, ends, s).build(wanted);
}

class StripBuilder {
  readonly #divided: DividedGraph;
  /** For each value, the rows that this strip computes: from `#begins` to `#ends`. */
  readonly #begins: readonly number[];
  readonly #ends: readonly number[];
  /** The first rows that this strip and that the next one reads. */
  readonly #halo: readonly number[];
  readonly #nextHalo: readonly number[] | undefined;
  readonly #ranges: readonly ValueRange[];
  /** For each value, which nodes read it, as which input. */
  readonly #users: (readonly [user: number, k: number])[][];
  readonly #nodes: Node[] = [];
  /** For each value, the node of the kept rows, and of the computed ones. */
  readonly #above = new Map<number, number>();
  readonly #computed = new Map<number, number>();
  readonly #views = new Map<string, number>();
  readonly #below: StripRows[] = [];
  readonly #told: (string | number)[] = [];

  constructor(divided: DividedGraph, ends: RowEnds, s: number) {
    const { graph, parts } = divided;
    this.#divided = divided;
    this.#ends = ends[s]!;
    this.#begins = s === 0 ? graph.nodes.map(() => 0) : ends[s - 1]!;
    this.#halo = haloBegins(divided, ends, s);
    this.#nextHalo = s + 1 < ends.length ? haloBegins(divided, ends, s + 1) : undefined;
    this.#ranges = rangesOf(graph);
    this.#users = graph.nodes.map(() => []);
    for (const [i, { inputs }] of graph.nodes.entries()) {
      if (parts[i] !== 'rows') continue;
      for (const [k, value] of inputs.entries()) this.#users[value]!.push([i, k]);
    }
  }

  build(wanted: readonly number[]): StripGraph {
    const { graph, parts } = this.#divided;
    const { nodes } = graph;
    this.#computed.set(0, this.#push(nodes[0]!.name, nodes[0]!.operator, []));
    this.#told.push(this.#ends[0]! - this.#begins[0]!);
    const above = this.#holdRows();
    for (const [i, { name, operator, inputs }] of nodes.entries()) {
      if (parts[i] === 'constant') {
        const own = inputs.map((value) => this.#computed.get(value)!);
        this.#computed.set(i, this.#push(name, operator, own));
      }
      if (parts[i] !== 'rows') continue;
      if (i > 0 && this.#ends[i]! > this.#begins[i]!) this.#compute(i);
      // At once: then a convolution that comes later can take these rows as its residual.
      for (const [user, k] of this.#users[i]!) {
        if (this.#ends[user]! > this.#begins[user]!) this.#view(i, ...this.#rowsRead(user, k));
      }
      this.#keepRows(i);
    }
    return {
      graph: { nodes: this.#nodes, output: this.#nodes.length - 1, classes: 0 },
      above,
      below: this.#below,
      wanted: wanted.flatMap((value) => {
        const [begin, count] = [this.#begins[value]!, this.#ends[value]! - this.#begins[value]!];
        return count > 0 ? [{ value, node: this.#computed.get(value)!, begin, count }] : [];
      }),
      key: this.#told.join(' '),
    };
  }

  /** Nodes for the rows of earlier strips. They come first, so that no step's result is stored in their place. */
  #holdRows(): StripRows[] {
    const { graph, shapes } = this.#divided;
    return graph.nodes.flatMap(({ name }, value): StripRows[] => {
      const begin = this.#halo[value]!;
      const count = this.#begins[value]! - begin;
      this.#told.push(count);
      if (count === 0) return [];
      const shape = { ...shapes[value]!, H: count };
      const node = this.#push(`${name}:above`, held(shape, this.#ranges[value]!), []);
      this.#above.set(value, node);
      return [{ value, node, begin, count }];
    });
  }

  /** Adds the node that computes the due rows of value `i`. */
  #compute(i: number): void {
    const { graph, parts } = this.#divided;
    const { name, operator, inputs } = graph.nodes[i]!;
    const own = inputs.map((value, k) =>
      parts[value] === 'rows'
        ? this.#view(value, ...this.#rowsRead(i, k))
        : this.#computed.get(value)!,
    );
    const node = this.#push(name, this.#operatorOf(i), own);
    // The plan would fuse the sum again: the whole picture's plan does not.
    const isSummed = isConv(operator) && operator.residual && this.#users[i]!.length === 1;
    const [user] = this.#users[i]![0] ?? [];
    const apart = isSummed && isAdd(graph.nodes[user!]!.operator);
    const count = this.#ends[i]! - this.#begins[i]!;
    this.#computed.set(i, apart ? this.#push(`${name}:rows`, rows(0, count), [node]) : node);
  }

  /** The operator of node `i`, padded only where the picture ends. */
  #operatorOf(i: number): Operator {
    const { operator, inputs } = this.#divided.graph.nodes[i]!;
    const window = windowOf(operator);
    if (!window) return operator;
    const [first] = rowsRead(operator, 0, this.#begins[i]!, this.#ends[i]!);
    const top = Math.max(0, -first);
    const bottom = this.#isWhole(inputs[0]!) ? window.padBottom : 0;
    this.#told.push(`${top}+${bottom}`);
    return window.padded(top, bottom);
  }

  /** Whether the last row of a value is computed. */
  #isWhole(value: number): boolean {
    return this.#ends[value] === this.#divided.shapes[value]!.H;
  }

  /** The rows of its input `k` that node `user` reads. */
  #rowsRead(user: number, k: number): readonly [begin: number, end: number] {
    const { operator, inputs } = this.#divided.graph.nodes[user]!;
    const [begin, end] = rowsRead(operator, k, this.#begins[user]!, this.#ends[user]!);
    const value = inputs[k]!;
    const isLast = k === 0 && windowOf(operator) && this.#isWhole(value);
    return [Math.max(begin, 0), isLast ? this.#ends[value]! : end];
  }

  /** The node that has just these rows of a value. */
  #view(value: number, begin: number, end: number): number {
    const isComputed = begin === this.#begins[value] && end === this.#ends[value];
    if (isComputed) return this.#computed.get(value)!;
    const key = `${value} ${begin} ${end}`;
    const found = this.#views.get(key) ?? this.#select(value, begin, end);
    this.#views.set(key, found);
    return found;
  }

  /** Adds a node for rows of a value, from the kept ones and the computed ones. */
  #select(value: number, begin: number, end: number): number {
    const above = this.#above.get(value);
    const computed = this.#computed.get(value);
    const inputs = [above, computed].filter((node) => node !== undefined);
    const from = begin - (above === undefined ? this.#begins[value]! : this.#halo[value]!);
    const name = `${this.#divided.graph.nodes[value]!.name}:rows`;
    this.#told.push(`${value}:${from}/${end - begin}`);
    return this.#push(name, rows(from, end - begin), inputs);
  }

  /** Adds a node for the rows of a value that later strips read, stored where the kept rows were, if as many. */
  #keepRows(value: number): void {
    const begin = this.#nextHalo?.[value] ?? this.#ends[value]!;
    const count = this.#ends[value]! - begin;
    if (count === 0) return;
    const node = this.#select(value, begin, begin + count);
    this.#below.push({ value, node, begin, count });
  }

  #push(name: string, operator: Operator, inputs: readonly number[]): number {
    return this.#nodes.push({ name, operator, inputs }) - 1;
  }
}
