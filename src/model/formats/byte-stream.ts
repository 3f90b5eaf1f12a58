/** A file's bytes from a stream, in chunks of any size. The interface is the part of `ReadableStream` that is used. */

import { FormatError } from '../../errors.js';

export interface ByteStream {
  getReader(): ByteStreamReader;
}

export interface ByteStreamReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(reason?: unknown): Promise<unknown>;
}

/** Reads pieces from a stream. Every failure is a FormatError that names the file and the byte. */
export class StreamBytes {
  /** Length of the file, once it is known: a stream that gives more bytes is refused at once. */
  length: number | undefined;
  readonly #name: string;
  readonly #reader: ByteStreamReader;
  readonly #onReceived: (bytes: number) => void;
  /** The latest chunk, and how much of it is used. */
  #chunk: Uint8Array = new Uint8Array(0);
  #used = 0;
  #received = 0;

  /** @param onReceived called after each chunk with the number of bytes received */
  constructor(stream: ByteStream, name: string, onReceived: (bytes: number) => void) {
    this.#name = name;
    this.#reader = stream.getReader();
    this.#onReceived = onReceived;
  }

  /** The offset in the file of the next byte. */
  get position(): number {
    return this.#received - this.#chunk.length + this.#used;
  }

  /** Fills `out` with the next bytes. @throws {FormatError} if the stream ends before */
  async fill(out: Uint8Array): Promise<void> {
    for (let filled = 0; filled < out.length; ) {
      const piece = await this.#piece(out.length - filled);
      out.set(piece, filled);
      filled += piece.length;
    }
  }

  /** Skips the bytes before `position`. @throws {FormatError} as `fill` */
  async skipTo(position: number): Promise<void> {
    while (this.position < position) await this.#piece(position - this.position);
  }

  /** Waits for the end. @throws {FormatError} if there are more bytes */
  async end(): Promise<void> {
    this.#refuseMore();
    while (await this.#next());
  }

  /** Tells the source that no more bytes are needed. Its errors are ignored. */
  cancel(reason: unknown): void {
    this.#reader.cancel(reason).catch(() => {});
  }

  /** The next bytes: at least one, at most `most`. */
  async #piece(most: number): Promise<Uint8Array> {
    while (this.#used === this.#chunk.length) {
      if (await this.#next()) continue;
      const where = this.length === undefined ? ', within the header' : ` of ${this.length}`;
      this.#fail(`the stream ended at byte ${this.#received}${where}`);
    }
    const piece = this.#chunk.subarray(this.#used, this.#used + most);
    this.#used += piece.length;
    return piece;
  }

  /** @returns false at the end of the stream */
  async #next(): Promise<boolean> {
    const { done, value } = await this.#reader.read().catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return this.#fail(`the stream failed at byte ${this.#received}: ${reason}`, { cause });
    });
    if (done) return false;
    if (!ArrayBuffer.isView(value)) {
      const what = Object.prototype.toString.call(value).slice('[object '.length, -1);
      this.#fail(`the stream has a ${what} at byte ${this.#received}, expected a Uint8Array`);
    }
    this.#chunk = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    this.#used = 0;
    this.#received += value.byteLength;
    this.#refuseMore();
    this.#onReceived(this.#received);
    return true;
  }

  #refuseMore(): void {
    if (this.length === undefined || this.#received <= this.length) return;
    this.#fail(`the stream goes on at byte ${this.length}, where its header ends the file`);
  }

  #fail(what: string, options?: { cause: unknown }): never {
    throw new FormatError(`${this.#name}: ${what}`, options);
  }
}
