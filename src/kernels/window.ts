/** A window that slides over pictures: what a convolution and a pool have in common. */

/** Extents, in elements. `strideY` and `padY` go with kH and H, `strideX` and `padX` with kW and W. */
export interface Window {
  readonly N: number;
  readonly H: number;
  readonly W: number;
  readonly kH: number;
  readonly kW: number;
  readonly strideY: number;
  readonly strideX: number;
  /** Rows of padding above the picture, and columns to its left. */
  readonly padY: number;
  readonly padX: number;
  /** Below it, and to its right; default as above, and as to its left. */
  readonly padBottom?: number;
  readonly padRight?: number;
}
