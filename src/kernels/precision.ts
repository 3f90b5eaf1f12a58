/**
 * What a packed weight takes in memory. Networks compute in float32 whatever their weights are stored
 * as: only the bytes differ, and so what fits in a budget.
 */

/** How weights are stored once packed. The backends pack `f32`; of the others the sizes are known. */
export type Precision = 'f32' | 'f16' | 'int8';

/** Bytes by precision: of a weight, and of the scale that each output channel then wants. */
export const STORAGE: Readonly<Record<Precision, { weightBytes: number; scaleBytes: number }>> = {
  f32: { weightBytes: 4, scaleBytes: 0 },
  f16: { weightBytes: 2, scaleBytes: 4 },
  int8: { weightBytes: 1, scaleBytes: 4 },
};

/** The precisions by name, the widest first. */
export const PRECISIONS: readonly Precision[] = ['f32', 'f16', 'int8'];
