/** Reading streams of strangers: counted, in time, and never more of them than memory holds. */

import { LIMITS } from './limits.js';
import { Problem } from './problem.js';

/** Bytes of all bodies that this isolate has read and not yet done with. */
let heldBytes = 0;

/** Where bytes come from. Requests, responses and objects of R2 are such sources, nearly. */
export interface ByteSource {
  readonly body: ReadableStream<Uint8Array> | null;
  /** As announced; what arrives is counted all the same. */
  readonly length?: number | undefined;
}

export interface ReadOptions {
  readonly limit: number;
  /** Ends the reading with a TimeoutError. */
  readonly signal: AbortSignal;
}

/**
 * Reads all of `source`, hands it to `use`, and counts it as held until then.
 *
 * @throws {Problem} 413 beyond `limit`, 503 while other bodies fill the memory
 */
export async function withBytes<T>(
  source: ByteSource,
  options: ReadOptions,
  use: (bytes: Uint8Array) => Promise<T>,
): Promise<T> {
  const { limit, signal } = options;
  if ((source.length ?? 0) > limit) {
    await source.body?.cancel();
    throw tooLarge(limit);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of chunksOf(source.body, signal)) {
      length += chunk.length;
      heldBytes += chunk.length;
      if (length > limit) throw tooLarge(limit);
      if (heldBytes > LIMITS.heldBytes) {
        throw new Problem(503, 'busy', 'too many pictures at once', { 'retry-after': '2' });
      }
      chunks.push(chunk);
    }
    return await use(concat(chunks, length));
  } finally {
    heldBytes -= length;
  }
}

/**
 * Reads what is left of a refused request, within the bounds of one that is not: a client that is
 * still sending when the connection closes never sees the answer.
 */
export async function discard(body: ReadableStream<Uint8Array> | null): Promise<void> {
  if (body === null || body.locked) return;
  let left: number = LIMITS.bodyBytes;
  try {
    for await (const chunk of chunksOf(body, AbortSignal.timeout(LIMITS.bodyMs))) {
      left -= chunk.length;
      if (left < 0) return;
    }
  } catch {
    // It was refused already.
  }
}

/** The length that a header announces. */
export function announcedLength(headers: Headers): number | undefined {
  const length = headers.get('content-length');
  return length === null ? undefined : Number(length);
}

async function* chunksOf(
  body: ReadableStream<Uint8Array> | null,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  // A pending read ends when its stream is cancelled.
  const stop = (): void => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

function concat(chunks: Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  // What was copied need not be kept until the request ends.
  chunks.length = 0;
  return bytes;
}

function tooLarge(limit: number): Problem {
  return new Problem(413, 'too-large', `at most ${limit} bytes are taken`);
}
