/**
 * `fastcam/onnx`: all of `fastcam`, and networks from ONNX files. It needs one package, `pbf`, to read their
 * encoding.
 */

import { FormatError } from './errors.js';
import {
  type ExplainingNetwork,
  type LoadOptions,
  loadNetwork as loadWeights,
  networkOf,
} from './explain.js';
import { byteSource, checkFile } from './model/formats/byte-source.js';
import { joinedBytes } from './model/formats/joined-bytes.js';
import type { ByteSource, ByteStream } from './model/index.js';
import {
  type OnnxOptions,
  type OnnxSummary,
  onnxNetwork,
  onnxSummary,
  PIXELS_ASSUMED,
} from './model/onnx/network.js';

export * from './index.js';
export { type OnnxOptions, type OnnxSummary, onnxNetwork, onnxSummary, PIXELS_ASSUMED };

export interface LoadOnnxOptions extends LoadOptions, Omit<OnnxOptions, 'externalData'> {
  /**
   * For a model with weights in other files: returns the bytes of one, by the path that the model gives. Do not trust
   * the path: look only in the folder of such files.
   */
  readonly externalData?: (
    location: string,
  ) => Uint8Array | ByteSource | Promise<Uint8Array | ByteSource>;
}

/**
 * Loads a network from an ONNX file, or from weights as `loadNetwork` of `fastcam` does. The first bytes decide.
 *
 * @param file its bytes, or a stream of them. The whole ONNX file is in memory while it is loaded
 * @throws {FormatError} for a damaged file, or one that is not supported: names the operator, its node and opset
 */
export async function loadNetwork(
  file: ArrayBuffer | Uint8Array | ByteStream,
  options: LoadOnnxOptions,
): Promise<ExplainingNetwork> {
  const { name = 'model', externalData, ...given } = options ?? {};
  checkFile('loadNetwork', file);
  const { head, all, rest } = await opened(file);
  if (isSafetensors(head)) return loadWeights(rest, options);
  const bytes = await all();
  const files = new Map<string, ByteSource>();
  for (const location of onnxSummary(bytes, name).externalFiles) {
    if (!externalData) continue;
    const data = await externalData(location);
    files.set(location, byteSource(data));
  }
  const network = onnxNetwork(bytes, name, {
    ...given,
    ...(externalData && { externalData: (location) => files.get(location)! }),
  });
  return networkOf(network, given);
}

/** The header's length, below 2³², then its first byte. */
function isSafetensors(head: Uint8Array): boolean {
  return head.length > 8 && head.subarray(4, 8).every((b) => b === 0) && head[8] === 0x7b;
}

interface OpenedFile {
  readonly head: Uint8Array;
  readonly all: () => Promise<Uint8Array>;
  /** The file, from its first byte. */
  readonly rest: Uint8Array | ByteStream;
}

const HEAD_BYTES = 9;

async function opened(file: ArrayBuffer | Uint8Array | ByteStream): Promise<OpenedFile> {
  if (!('getReader' in file)) {
    const bytes = file instanceof Uint8Array ? file : new Uint8Array(file);
    return { head: bytes, all: async () => bytes, rest: bytes };
  }
  const reader = file.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const next = async (): Promise<boolean> => {
    const { done, value } = await reader.read();
    if (value) {
      if (!(value instanceof Uint8Array)) throw new FormatError('a stream of bytes was expected');
      chunks.push(value);
      length += value.length;
    }
    return !done;
  };
  while (length < HEAD_BYTES && (await next()));
  const head = joinedBytes(chunks);
  return {
    head,
    async all() {
      while (await next());
      return joinedBytes(chunks);
    },
    rest: {
      getReader: () => ({
        async read() {
          const value = chunks.shift();
          return value ? { done: false, value } : reader.read();
        },
        cancel: (reason) => reader.cancel(reason),
      }),
    },
  };
}
