/**
 * WebP: the header here, the pixels by libwebp in WebAssembly (jSquash). Source: RFC 9649, §2 (container)
 * and §3 (lossless header); RFC 6386, §9.1 (lossy header).
 */

import makeCodec from '@jsquash/webp/codec/dec/webp_dec.js';
import libwebp from '@jsquash/webp/codec/dec/webp_dec.wasm';
import type { Picture } from 'fastcam';
import { LIMITS } from './limits.js';
import { checkSize, damaged } from './picture-problems.js';
import { Problem } from './problem.js';
import { textAt, viewOf } from './views.js';

/** Bytes of `RIFF`, the file's length and `WEBP`. */
const FILE_HEADER = 12;
const ANIMATION_FLAG = 0x02;
const VP8L_SIGNATURE = 0x2f;
const PAGE_BYTES = 1 << 16;

/** What Emscripten's factory takes, and becomes. */
interface Codec {
  readonly noInitialRun: boolean;
  print(line: string): void;
  printErr(line: string): void;
  /** Unasked, the codec would make a URL from that of the bundle, which need not have one. */
  locateFile(name: string): string;
  instantiateWasm(
    imports: WebAssembly.Imports,
    ready: (instance: WebAssembly.Instance) => void,
  ): WebAssembly.Exports;
  /** There once the codec is ready. */
  decode?: Decode;
}

/** `null` for a damaged file. */
type Decode = (bytes: Uint8Array) => Picture | null;

/** The stored pixels. @throws {Problem} 413 for too many, 422 for a damaged file or an animation */
export function decodeWebp(bytes: Uint8Array): Picture {
  checkSize(...sizeOf(bytes));
  const decoded = openDecoder()(bytes);
  if (decoded === null) throw damaged('libwebp refuses it');
  const { data, width, height } = decoded;
  return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), width, height };
}

/** The EXIF data, a TIFF file; `undefined` where there is none. */
export function exifOfWebp(bytes: Uint8Array): Uint8Array | undefined {
  for (const { type, data } of chunksOf(bytes)) {
    // Some programs copy the six bytes that a JPEG has before it.
    if (type === 'EXIF') return textAt(data, 0, 6) === 'Exif\0\0' ? data.subarray(6) : data;
  }
  return undefined;
}

/**
 * A decoder for one picture. Its memory never shrinks, and a JPEG that came later would have no room beside
 * it. The factory's promise is not waited for: everything is there when it returns, and while the worker
 * waited another picture might come into memory.
 */
function openDecoder(): Decode {
  const quiet = (): void => {};
  const codec: Codec = {
    noInitialRun: true,
    print: quiet,
    printErr: quiet,
    locateFile: (name) => name,
    instantiateWasm(imports, ready) {
      const instance = new WebAssembly.Instance(libwebp, imports);
      boundMemory(instance);
      ready(instance);
      return instance.exports;
    },
  };
  (makeCodec as (codec: Codec) => Promise<unknown>)(codec).catch(quiet);
  if (codec.decode !== undefined) return codec.decode;
  throw new Problem(500, 'internal', 'the decoder of WebP does not start');
}

/**
 * A file of 330 KB can have 65,536 Huffman codes, whose tables take 900 MB. Where its memory cannot grow,
 * libwebp gives up.
 */
function boundMemory({ exports }: WebAssembly.Instance): void {
  const memory = Object.values(exports).find((value) => value instanceof WebAssembly.Memory)!;
  const grow = memory.grow.bind(memory);
  memory.grow = (pages) => {
    if (memory.buffer.byteLength + pages * PAGE_BYTES > LIMITS.webpBytes) {
      throw new RangeError('no more memory for this picture');
    }
    return grow(pages);
  };
}

/** Of the pixels. The canvas of a still picture has the same size: libwebp refuses any other. */
function sizeOf(bytes: Uint8Array): readonly [width: number, height: number] {
  for (const { type, data } of chunksOf(bytes)) {
    const view = viewOf(data);
    if (type === 'VP8X' && (view.getUint8(0) & ANIMATION_FLAG) !== 0) {
      throw damaged('a WebP animation');
    } else if (type === 'VP8 ') {
      return [view.getUint16(6, true) & 0x3fff, view.getUint16(8, true) & 0x3fff];
    } else if (type === 'VP8L' && view.getUint8(0) === VP8L_SIGNATURE) {
      const bits = view.getUint32(1, true);
      return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
    }
  }
  throw damaged('a WebP without pixels');
}

interface Chunk {
  readonly type: string;
  /** Shorter than the chunk says where the file ends. */
  readonly data: Uint8Array;
}

/** Type, length, data, and a byte of padding after an odd length. */
function* chunksOf(bytes: Uint8Array): Generator<Chunk> {
  const view = viewOf(bytes);
  for (let begin = FILE_HEADER; begin + 8 <= bytes.length; ) {
    const end = begin + 8 + view.getUint32(begin + 4, true);
    yield { type: textAt(bytes, begin, 4), data: bytes.subarray(begin + 8, end) };
    begin = end + (end & 1);
  }
}
