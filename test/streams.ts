/** Bytes as streams hand them out. */

export interface TestStream {
  readonly stream: ReadableStream<Uint8Array>;
  /** Bytes that were asked for so far. */
  readonly delivered: number;
  /** The reason that the source received when it was cancelled. */
  readonly cancelled: unknown;
}

/**
 * A stream of chunks, none of which is made before it is asked for.
 *
 * @param chunkBytes of each chunk, over and over
 * @param end what happens behind the last byte; default the stream closes
 */
export function streamOf(
  bytes: Uint8Array,
  chunkBytes: readonly number[] = [bytes.length],
  end: (controller: ReadableStreamDefaultController<Uint8Array>) => void = (c) => c.close(),
): TestStream {
  let delivered = 0;
  let chunks = 0;
  let cancelled: unknown;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (delivered === bytes.length) return end(controller);
        const length = chunkBytes[chunks++ % chunkBytes.length]!;
        const chunk = bytes.subarray(delivered, delivered + length);
        delivered += chunk.length;
        controller.enqueue(chunk);
      },
      cancel(reason) {
        cancelled = reason;
      },
    },
    { highWaterMark: 0 },
  );
  return {
    stream,
    get delivered() {
      return delivered;
    },
    get cancelled() {
      return cancelled;
    },
  };
}
