/**
 * Divides a network into its trunk, which can be computed strip by strip, and its head, which reads means over the
 * whole map.
 */

import { ShapeError } from '../errors.js';
import type { Graph, Node, ValueShape } from '../model/graph/node.js';
import { type AdaptiveMean, isGlobalMean } from '../model/graph/operators/adaptive-mean.js';
import { isByRows } from './reach.js';

/** `rows`: part of the trunk. `constant`: does not depend on the picture. `pool`: a mean of the trunk. `head`: after it. */
export type Part = 'rows' | 'constant' | 'pool' | 'head' | 'unused';

/**
 * The part of each node.
 *
 * @param wanted values that are needed; the others are `unused`
 * @throws {ShapeError} naming a node that reads the whole picture
 */
export function partsOf(
  { nodes }: Pick<Graph, 'nodes'>,
  shapes: readonly ValueShape[],
  wanted: readonly number[],
): Part[] {
  const needed = new Set(wanted);
  for (let i = nodes.length - 1; i >= 0; i--) {
    if (needed.has(i)) for (const value of nodes[i]!.inputs) needed.add(value);
  }
  const parts: Part[] = [];
  for (const [i, node] of nodes.entries()) {
    const given = node.inputs.map((value) => parts[value]!);
    const extents = node.inputs.map((value) => shapes[value]!);
    parts.push(needed.has(i) ? partOf(node, given, extents, i === 0) : 'unused');
  }
  return parts;
}

function partOf(
  node: Node,
  inputs: readonly Part[],
  shapes: readonly ValueShape[],
  isInput: boolean,
): Part {
  const { operator } = node;
  if (isInput) return 'rows';
  if (inputs.every((part) => part === 'constant')) return 'constant';
  if (!inputs.includes('rows')) return 'head';
  if (inputs.some((part) => part === 'pool' || part === 'head')) {
    return refuse(node, 'uses a mean of the whole picture, as squeeze-and-excitation does');
  }
  if (isMean(operator)) return 'pool';
  if (!isByRows(operator, shapes)) return refuse(node, 'reads the whole picture');
  const odd = inputs.findIndex((part, i) => part === 'constant' && shapes[i]!.H > 1);
  if (odd >= 0) return refuse(node, `uses ${shapes[odd]!.H} rows of weights, one for each row`);
  return 'rows';
}

function isMean(operator: Node['operator']): operator is AdaptiveMean {
  return isGlobalMean(operator) || operator.kind === 'adaptiveMean';
}

function refuse({ name, operator }: Node, why: string): never {
  throw new ShapeError(
    `tile: the network cannot be divided: ${name} (${operator.kind}) ${why}: explain the picture as a whole, at a smaller size`,
  );
}
