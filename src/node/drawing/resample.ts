/**
 * Sizes for looking at: pictures are shrunk by averaging (pixels.ts), or enlarged by whole pixels (enlarge.ts).
 * Neither invents detail. (What the *network* sees is resized elsewhere, as its training did.)
 */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The largest size of the same aspect inside `box`², at least one pixel, never larger than given. */
export function fitInside({ width, height }: Size, box: number): Size {
  const scale = Math.min(1, box / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

/** The whole factor by which a small picture is enlarged so that its long side nears `box`. */
export function enlargement({ width, height }: Size, box: number): number {
  return Math.max(1, Math.floor(box / Math.max(width, height)));
}
