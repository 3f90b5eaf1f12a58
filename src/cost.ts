/**
 * What saliency costs by the paper's count (arXiv 1911.11293, Table 6): operations of each part, and
 * bytes of the maps. SMOE Scale itself is counted in model/graph/plan.ts.
 *
 *   normalise   12 per element of a map
 *   combine     6.75 per pixel and map, 4.5 for the first map
 *   memory      every map as float32, and the largest once more
 */

/** Operations and bytes that the paper counts for a ResNet-50 at 224×224. */
export const PAPER_TABLE_6 = {
  smoe: 9_249_093,
  normalize: 200_508,
  combine: 1_580_544,
  mapBytes: 117_012,
} as const;

export interface MapsCost {
  /** Operations. */
  readonly normalize: number;
  readonly combine: number;
  readonly mapBytes: number;
}

/**
 * @param lengths elements of each map
 * @param pixels pixels of the combined map
 */
export function mapsCost(lengths: readonly number[], pixels: number): MapsCost {
  const elements = lengths.reduce((sum, length) => sum + length, 0);
  return {
    normalize: 12 * elements,
    combine: pixels * (4.5 + 6.75 * (lengths.length - 1)),
    mapBytes: Float32Array.BYTES_PER_ELEMENT * (elements + Math.max(...lengths)),
  };
}
