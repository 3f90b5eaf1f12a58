/**
 * What fits beside each other in the 128 MB of an isolate. Pictures are decoded, explained and packed
 * in one synchronous stretch, so there is never more than one of them in memory, but any number of
 * bodies may be on their way. Bytes a pixel are measured: test/memory.test.mjs holds them to it.
 *
 *   network     budgetBytes                                                         32 MB
 *   bodies      heldBytes, of all requests                                          12 MB
 *   a picture   63 bytes a pixel while a JPEG is decoded, each block of which is
 *               an array of its own; 30 for RGBA, maps, overlay and packing, beside
 *               webpBytes where it is a WebP                                        83 MB
 */
export const LIMITS = {
  /** Of a picture's file. */
  bodyBytes: 4 << 20,
  heldBytes: 12 << 20,
  /** 1280×1024. */
  pixels: 1280 * 1024,
  /** What the JPEG decoder may take, by its own count. */
  jpegMegabytes: 48,
  /** The linear memory of the WebP decoder, which begins with 16 MiB. The largest noise takes 20 MB. */
  webpBytes: 32 << 20,
  /** Of weights and arena. */
  budgetBytes: 32_000_000,
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
  /** What a caller who asks too often is told to wait: the period of the rate limit in wrangler.jsonc. */
  rateSeconds: 60,
  /** Of one batch: what a queue takes at once. */
  batchKeys: 100,
  batchBytes: 128 << 10,
} as const;
