/**
 * What fits beside each other in the 128 MB of an isolate. Pictures are decoded, explained and packed
 * in one synchronous stretch, so there is never more than one of them in memory, but any number of
 * bodies may be on their way.
 *
 *   network     budgetBytes                                   48 MB
 *   bodies      heldBytes, of all requests                    16 MB
 *   a picture   RGBA, four maps, overlay, packing: 30 bytes a pixel; a JPEG takes 22 until it is decoded
 *               30 · pixels                                   63 MB
 */
export const LIMITS = {
  /** Of a picture's file. */
  bodyBytes: 4 << 20,
  heldBytes: 16 << 20,
  /** Full HD, 1920×1080. */
  pixels: 2_100_000,
  /** What the JPEG decoder may take, by its own count. */
  jpegMegabytes: 64,
  /** Of weights and arena. */
  budgetBytes: 48_000_000,
  /** Of a file of weights. It lies in memory while it is packed, when no picture does. */
  weightsBytes: 48_000_000,
  /** Short side of the network's input. */
  size: 512,
  /** Until a body has arrived. */
  bodyMs: 15_000,
  /** Until a picture has come from its URL, redirects included. */
  urlMs: 10_000,
  /** Until the weights have come from R2. */
  modelMs: 20_000,
  redirects: 3,
  /** Of one batch: what a queue takes at once. */
  batchKeys: 100,
  batchBytes: 128 << 10,
} as const;
