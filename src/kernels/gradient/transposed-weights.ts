/**
 * The weights of a convolution, rearranged for the gradient with respect to its input. They are made from the packed
 * weights each time the gradient is computed, in scratch that all layers share: kept, they would take as much memory
 * as the network again.
 *
 * Output and input channels change places. There are two arrangements:
 *
 *   flipped   weights of a convolution from Cout to Cin channels, with the kernel turned by 180°
 *   columns   weights of a 1×1 convolution from Cout channels to all kH·kW·Cin taps (col2im.ts adds the taps up)
 *
 * A layer that sees its whole input at once, such as a linear layer, uses each weight once for a picture. Its weights
 * are read as they are.
 */

import { type Conv2dWeightShape, isDepthwise, packingShape } from '../conv2d-shape.js';
import type { OperatorKernel, PackedVectors, PackedWeights } from '../step.js';

export type Arrangement = 'flipped' | 'columns' | 'linear';

/** A layer to rearrange. */
export interface TransposedLayer {
  /** Shape of the layer's own weights. */
  readonly shape: Conv2dWeightShape;
  readonly arrangement: Arrangement;
}

/** Rearranged weights, which a convolution step reads like any others. */
export interface TransposedWeights extends PackedWeights {
  /** Writes them into the scratch. What another layer wrote there is lost. */
  renew(): void;
}

/** Weights that are read as they are packed, by a step of the operator `linearGradient`. */
export interface LinearWeights extends PackedWeights {
  /**
   * out[n, k] = Σ_oc gradient[n, oc] · weight[oc, k]
   *
   * @param out [N, K], overwritten
   * @param gradient [N, Cout]
   */
  products(out: Float32Array, gradient: Float32Array): void;
}

/** Scratch for the weights of one layer at a time. */
export interface TransposedScratch {
  /** @param packed the layer's own weights, packed by the same backend */
  weightsOf(layer: TransposedLayer, packed: PackedWeights): TransposedWeights | LinearWeights;
  release(): void;
}

/** The kernel of a step that rearranges the weights of the step after it. */
export const renewWeights: OperatorKernel = (_out, _inputs, weights) =>
  (weights as PackedVectors & TransposedWeights).renew();

/** The kernel of a step `linearGradient`. */
export const linearGradient: OperatorKernel = (out, [gradient], weights) =>
  (weights as PackedVectors & LinearWeights).products(out, gradient!);

/** The shape of rearranged weights. */
export function transposedShape({ shape, arrangement }: TransposedLayer): Conv2dWeightShape {
  const { Cin, Cout, kH, kW, groups } = shape;
  if (arrangement === 'flipped') return { ...shape, Cin: Cout, Cout: Cin };
  return { Cin: Cout, Cout: kH * kW * Cin, kH: 1, kW: 1, groups };
}

/** How panels of `NR` output channels hold weights: [groups, ⌈Cout/groups/NR⌉, K, NR]. */
export interface PanelLayout {
  readonly groups: number;
  /** Output channels of a group, and the panels that hold them. */
  readonly channels: number;
  readonly panels: number;
  readonly K: number;
}

export function panelLayout(shape: Conv2dWeightShape, NR: number): PanelLayout {
  const { Cin, Cout, kH, kW, groups } = packingShape(shape);
  const channels = Cout / groups;
  return { groups, channels, panels: Math.ceil(channels / NR), K: (kH * kW * Cin) / groups };
}

/** Floats in the panels of a shape. */
export function panelFloats(shape: Conv2dWeightShape, NR: number): number {
  const { groups, panels, K } = panelLayout(shape, NR);
  return groups * panels * K * NR;
}

/**
 * Rearranges weights by the definition, one by one. It is the reference, and it serves every shape.
 *
 * @param out the panels of `transposedShape`
 * @param NR a power of two
 * @param floatsOf panel number i of the layer's own weights, [K, NR]; valid until the next one is asked for
 */
export function transposePanels(
  out: Float32Array,
  layer: TransposedLayer,
  NR: number,
  floatsOf: (panel: number) => Float32Array | Float64Array,
): void {
  const { shape, arrangement } = layer;
  const { Cin, Cout, kH, kW, groups } = shape;
  const taps = kH * kW;
  const CinG = Cin / groups;
  const CoutG = Cout / groups;
  const from = panelLayout(shape, NR);
  const target = transposedShape(layer);
  const to = panelLayout(target, NR);
  const isColumns = arrangement === 'columns';
  // The output channels of a depthwise convolution are packed one after the other, as if they were one group.
  const isSpread = isDepthwise(target);
  const columns = target.Cout / groups;
  out.fill(0);
  let current = -1;
  let weights: Float32Array | Float64Array = out;
  for (let oc = 0; oc < Cout; oc++) {
    const group = Math.floor(oc / CoutG);
    const o = oc % CoutG;
    const own = isDepthwise(shape) ? oc : o;
    const panel = (isDepthwise(shape) ? 0 : group) * from.panels + Math.floor(own / NR);
    if (panel !== current) weights = floatsOf(panel);
    current = panel;
    const firstPanel = isSpread ? 0 : group * to.panels;
    for (let tap = 0; tap < taps; tap++) {
      const row = isColumns ? o : (taps - 1 - tap) * CoutG + o;
      const firstColumn = (isSpread ? group * columns : 0) + (isColumns ? tap * CinG : 0);
      let k = tap * CinG * NR + (own % NR);
      for (let column = firstColumn; column < firstColumn + CinG; column++, k += NR) {
        const j = column & (NR - 1);
        out[((firstPanel + (column - j) / NR) * to.K + row) * NR + j] = weights[k]!;
      }
    }
  }
}
